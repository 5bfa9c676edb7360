from django.db import migrations, models


def take_what_was_shown(apps, schema_editor):
    """Until now the claims were shown."""
    apps.get_model("console", "Step").objects.filter(attempts__gt=0).update(tries=models.F("attempts"))


class Migration(migrations.Migration):
    dependencies = [("console", "0004_decisions")]

    operations = [
        migrations.AddField(
            model_name="step",
            name="tries",
            field=models.PositiveIntegerField(default=0, verbose_name="attempts"),
        ),
        migrations.AlterField(
            model_name="step",
            name="attempts",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.RunPython(take_what_was_shown, migrations.RunPython.noop),
    ]
