from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("maintenance", "0013_emergencies_paper")]

    operations: list = []
