from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("maintenance", "0011_reports_pages")]

    operations: list = []
