from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("maintenance", "0008_training")]

    operations: list = []
