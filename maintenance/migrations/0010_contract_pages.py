from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("maintenance", "0009_tickets_pages")]

    operations: list = []
