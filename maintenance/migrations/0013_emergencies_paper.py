from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("maintenance", "0012_upgrades_gate")]

    operations: list = []
