from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("maintenance", "0010_contract_pages")]

    operations: list = []
