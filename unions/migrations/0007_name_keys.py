"""Names are compared by a key that is worked out here: databases differ in the letters whose case they know."""

from django.db import migrations, models

from unions.names import key_of


def fill(apps, schema_editor):
    """Two names that nobody told apart until now both stay; the later one keeps a key of its own."""
    for model, field in (("Organization", "name"), ("Union", "name"), ("Registration", "organization_name")):
        taken = set()
        for row in apps.get_model("unions", model).objects.order_by("pk").iterator():
            key = key_of(getattr(row, field))
            place = (row.platform_id if model == "Union" else None, key)
            past = row.state in ("deleted", "approved", "refused")
            if not past and place in taken:
                key = f"{key[:220]}#{row.pk}"
            if not past:
                taken.add(place)
            row.name_key = key
            row.save(update_fields=["name_key"])


class Migration(migrations.Migration):
    dependencies = [("unions", "0006_quotas")]

    operations = [
        migrations.RemoveConstraint(model_name="registration", name="registration_one_pending_per_name"),
        migrations.RemoveConstraint(model_name="union", name="union_name_once"),
        *(
            migrations.AddField(
                model_name=model,
                name="name_key",
                field=models.CharField(default="", editable=False, max_length=240),
                preserve_default=False,
            )
            for model in ("organization", "registration", "union")
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="organization",
            name="name_key",
            field=models.CharField(editable=False, max_length=240, unique=True),
        ),
        migrations.AddConstraint(
            model_name="registration",
            constraint=models.UniqueConstraint(
                condition=models.Q(state="pending"), fields=("name_key",), name="registration_one_pending_per_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="union",
            constraint=models.UniqueConstraint(
                condition=models.Q(state="deleted", _negated=True),
                fields=("platform", "name_key"),
                name="union_name_once",
            ),
        ),
    ]
