import django.db.models.deletion
from django.db import migrations, models

ID = ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_initial"), ("letters", "0002_provider_names")]
    operations = [
        migrations.CreateModel(
            name="ArrivalTally",
            fields=[
                ID,
                ("day", models.DateField()),
                ("source", models.CharField(max_length=20)),
                ("what", models.CharField(max_length=20)),
                ("count", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("day", "source", "what"), name="arrival_tally_cell")
                ],
            },
        ),
        migrations.CreateModel(
            name="Report",
            fields=[
                ID,
                (
                    "delivery",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reports",
                        to="letters.delivery",
                    ),
                ),
                ("kind", models.PositiveSmallIntegerField(choices=[(3, "Bounced"), (4, "Complained")])),
                ("at", models.DateTimeField()),
                ("status", models.CharField(blank=True, max_length=12)),
                ("words", models.CharField(blank=True, max_length=300)),
                ("source", models.CharField(max_length=20)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("delivery", "kind"), name="report_once_per_delivery_and_kind")
                ],
            },
        ),
        migrations.CreateModel(
            name="Reply",
            fields=[
                ID,
                (
                    "delivery",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="replies",
                        to="letters.delivery",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="campaigns.campaign",
                    ),
                ),
                ("key", models.BinaryField(max_length=16)),
                ("digest", models.CharField(max_length=64)),
                ("received_at", models.DateTimeField()),
                ("is_automatic", models.BooleanField(default=False)),
                ("sealed", models.BinaryField()),
                ("forwarded_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("delivery", "digest"), name="reply_once")],
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_automatic", False)),
                        fields=["campaign", "-id"],
                        name="replies_of_campaign",
                    ),
                    models.Index(
                        condition=models.Q(("sealed", b""), _negated=True), fields=["received_at"], name="reply_expiry"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="letter",
            name="passes_replies",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(choices=[("confirmation", "Confirmation"), ("reply", "Reply")], max_length=12),
        ),
        migrations.AddField(
            model_name="notice",
            name="reply",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="notices",
                to="letters.reply",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("feedback__gte", 2), ("state__in", ["held", "queued", "uncertain"])),
                fields=["id"],
                name="delivery_proved",
            ),
        ),
    ]
