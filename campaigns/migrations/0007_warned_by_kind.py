from django.db import migrations, models


def forget_the_old_default(apps, schema_editor):
    """What nobody ticked was never decided: from now on the kind of the list decides."""
    apps.get_model("campaigns", "Ask").objects.filter(warns=False).update(warns=None)


def keep_what_holds(apps, schema_editor):
    asks = apps.get_model("campaigns", "Ask").objects.filter(warns=None)
    asks.filter(target_list__kind="embassies").update(warns=True)
    asks.filter(warns=None).update(warns=False)


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0006_partner_consents'),
        ('targets', '0003_salutations'),
    ]

    operations = [
        migrations.AlterField(
            model_name='ask',
            name='warns',
            field=models.BooleanField(blank=True, null=True),
        ),
        migrations.RunPython(forget_the_old_default, keep_what_holds),
    ]
