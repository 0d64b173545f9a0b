from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("letters", "0003_replies")]
    operations = [
        migrations.CreateModel(
            name="Instance",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("identity", models.CharField(max_length=32)),
                ("epoch", models.BigIntegerField(default=0)),
                ("advanced_at", models.DateTimeField(null=True)),
                ("body", models.CharField(blank=True, max_length=80)),
                ("on_hold_since", models.DateTimeField(null=True)),
                (
                    "on_hold_because",
                    models.CharField(
                        blank=True, choices=[("restored", "Restored"), ("copied", "Copied")], max_length=8
                    ),
                ),
                ("held_up_to", models.BigIntegerField(default=0)),
                ("set_aside_at", models.DateTimeField(null=True)),
                ("refused_at", models.DateTimeField(null=True)),
                ("refused_because", models.CharField(blank=True, max_length=500)),
            ],
            options={"constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_instance")]},
        ),
    ]
