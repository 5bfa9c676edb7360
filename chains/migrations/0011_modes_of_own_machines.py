"""Chains on organizations' own machines share no nodes; their unions' chains were written down as if they did."""

from typing import Any

from django.db import migrations


def tell_the_mode(apps: Any, _editor: Any) -> None:
    chains = apps.get_model("chains", "BusinessChain").objects.filter(platform__kind="evm")
    chains.filter(createmode="multi_subchain").update(createmode="isolated")


class Migration(migrations.Migration):
    dependencies = [("chains", "0010_applications_and_reports"), ("platforms", "0001_initial")]

    operations = [migrations.RunPython(tell_the_mode, migrations.RunPython.noop)]
