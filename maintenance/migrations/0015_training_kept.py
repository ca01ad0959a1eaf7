from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("maintenance", "0014_things_kept")]

    operations: list = []
