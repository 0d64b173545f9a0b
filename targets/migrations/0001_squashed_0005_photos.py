import accounts.identifiers
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('targets', '0001_initial'), ('targets', '0002_address_domain_and_limits'), ('targets', '0003_salutations'), ('targets', '0004_exclusions'), ('targets', '0005_photos')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0002_help_at'),
    ]

    operations = [
        migrations.CreateModel(
            name='Address',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('email', 'E-mail'), ('postal', 'Postal'), ('other', 'Other')], max_length=6)),
                ('value', models.CharField(max_length=500)),
                ('address_hash', models.BinaryField(db_index=True, max_length=32)),
                ('domain', models.GeneratedField(db_persist=True, expression=models.Case(models.When(kind='email', then=django.db.models.functions.text.Substr(models.F('value'), django.db.models.expressions.CombinedExpression(django.db.models.functions.text.StrIndex(models.F('value'), models.Value('@')), '+', models.Value(1)))), default=models.Value('')), output_field=models.CharField(max_length=500))),
                ('status', models.CharField(choices=[('unknown', 'Not tried yet'), ('working', 'Working'), ('bouncing', 'Bouncing'), ('dead', 'Dead')], default='unknown', max_length=8)),
                ('refused_at', models.DateTimeField(blank=True, null=True)),
                ('cap_per_hour', models.PositiveIntegerField(blank=True, null=True)),
                ('cap_per_day', models.PositiveIntegerField(blank=True, null=True)),
                ('opens_at', models.TimeField(blank=True, null=True)),
                ('closes_at', models.TimeField(blank=True, null=True)),
                ('time_zone', models.CharField(default='UTC', max_length=40)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('kind', 'email')), fields=['domain'], name='address_of_domain')],
                'constraints': [models.UniqueConstraint(fields=('kind', 'value'), name='address_known_once'), models.CheckConstraint(condition=models.Q(('kind__in', ['email', 'postal', 'other'])), name='address_kind_is_known'), models.CheckConstraint(condition=models.Q(('status__in', ['unknown', 'working', 'bouncing', 'dead'])), name='address_status_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('closes_at__isnull', True), ('opens_at__isnull', True)), models.Q(('closes_at__isnull', False), ('opens_at__isnull', False)), _connector='OR'), name='address_office_hours_whole'), models.CheckConstraint(condition=models.Q(('opens_at__isnull', True), ('opens_at__lt', models.F('closes_at')), _connector='OR'), name='address_opens_before_it_closes'), models.CheckConstraint(condition=models.Q(models.Q(('cap_per_hour__isnull', True), ('cap_per_hour__gte', 1), _connector='OR'), models.Q(('cap_per_day__isnull', True), ('cap_per_day__gte', 1), _connector='OR')), name='address_caps_let_something_through')],
            },
        ),
        migrations.CreateModel(
            name='Suppression',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address_hash', models.BinaryField(max_length=32)),
                ('reason', models.CharField(max_length=40)),
                ('source', models.CharField(blank=True, max_length=120)),
                ('since', models.DateTimeField(auto_now_add=True)),
                ('until', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['address_hash'], name='suppression_of_address')],
            },
        ),
        migrations.CreateModel(
            name='Target',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=accounts.identifiers.new_public_id, editable=False, max_length=22, unique=True)),
                ('name', models.CharField(max_length=100)),
                ('given_name', models.CharField(blank=True, max_length=100)),
                ('family_name', models.CharField(blank=True, max_length=100)),
                ('title', models.CharField(blank=True, max_length=100)),
                ('role', models.CharField(blank=True, max_length=200)),
                ('institution', models.CharField(blank=True, max_length=200)),
                ('country', models.CharField(blank=True, max_length=2)),
                ('language', models.CharField(blank=True, max_length=12)),
                ('salutation', models.CharField(blank=True, max_length=150)),
                ('salutations', models.JSONField(blank=True, default=dict)),
                ('email', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='targets.address')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='targets', to='accounts.organisation')),
                ('post', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='targets.address')),
            ],
        ),
        migrations.CreateModel(
            name='Photo',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content', models.BinaryField(max_length=4096)),
                ('digest', models.CharField(db_index=True, max_length=32)),
                ('target', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='photo', to='targets.target')),
            ],
        ),
        migrations.CreateModel(
            name='TargetList',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=accounts.identifiers.new_public_id, editable=False, max_length=22, unique=True)),
                ('name', models.CharField(max_length=120)),
                ('kind', models.CharField(choices=[('leaders', 'Leaders'), ('embassies', 'Embassies'), ('performers', 'Performers'), ('other', 'Other')], default='other', max_length=10)),
                ('source', models.CharField(blank=True, max_length=200)),
                ('checked_on', models.DateField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='target_lists', to='accounts.organisation')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organisation', 'name'), name='list_name_once_per_organisation'), models.CheckConstraint(condition=models.Q(('kind__in', ['leaders', 'embassies', 'performers', 'other'])), name='list_kind_is_known')],
            },
        ),
        migrations.CreateModel(
            name='ListEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField(default=0)),
                ('retired_at', models.DateTimeField(blank=True, null=True)),
                ('exclusion', models.CharField(blank=True, choices=[('ally', 'Already supports us'), ('answered', 'Has answered'), ('away', 'Is away until a day'), ('own', 'In words of our own')], max_length=8)),
                ('exclusion_words', models.CharField(blank=True, max_length=120)),
                ('excluded_until', models.DateField(blank=True, null=True)),
                ('target', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='entries', to='targets.target')),
                ('target_list', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='entries', to='targets.targetlist')),
            ],
            options={
                'ordering': ['position', 'id'],
                'constraints': [models.UniqueConstraint(fields=('target_list', 'target'), name='target_once_per_list'), models.CheckConstraint(condition=models.Q(models.Q(('exclusion__in', ['', 'ally', 'answered', 'away']), ('exclusion_words', '')), models.Q(('exclusion', 'own'), models.Q(('exclusion_words', ''), _negated=True)), _connector='OR'), name='entry_exclusion_has_its_words'), models.CheckConstraint(condition=models.Q(models.Q(('excluded_until__isnull', False), ('exclusion', 'away')), models.Q(models.Q(('exclusion', 'away'), _negated=True), ('excluded_until__isnull', True)), _connector='OR'), name='entry_exclusion_has_its_day')],
            },
        ),
        migrations.AddField(
            model_name='targetlist',
            name='targets',
            field=models.ManyToManyField(related_name='lists', through='targets.ListEntry', to='targets.target'),
        ),
        migrations.CreateModel(
            name='ImportedFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=accounts.identifiers.new_public_id, editable=False, max_length=22, unique=True)),
                ('filename', models.CharField(max_length=200)),
                ('content', models.BinaryField()),
                ('table', models.PositiveSmallIntegerField(default=0)),
                ('columns', models.JSONField(default=list)),
                ('skipped_lines', models.JSONField(default=list)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('accepted_at', models.DateTimeField(null=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
                ('target_list', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='imported_files', to='targets.targetlist')),
            ],
        ),
        migrations.CreateModel(
            name='TargetVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('values', models.JSONField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('target', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='targets.target')),
            ],
        ),
        migrations.AddField(
            model_name='target',
            name='version',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='targets.targetversion'),
        ),
    ]
