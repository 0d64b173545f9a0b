from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='organisation',
            name='help_at',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
    ]
