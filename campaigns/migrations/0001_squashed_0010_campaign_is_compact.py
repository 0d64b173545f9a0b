import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('campaigns', '0001_initial'), ('campaigns', '0002_stops_and_causes'), ('campaigns', '0003_partners'), ('campaigns', '0004_who_of_a_list'), ('campaigns', '0005_supporters_rights'), ('campaigns', '0006_partner_consents'), ('campaigns', '0007_warned_by_kind'), ('campaigns', '0008_campaign_time_zone'), ('campaigns', '0009_campaign_look'), ('campaigns', '0010_campaign_is_compact')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0002_help_at'),
        ('targets', '0001_squashed_0005_photos'),
    ]

    operations = [
        migrations.CreateModel(
            name='Campaign',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=60, unique=True)),
                ('default_language', models.CharField(default='en', max_length=12)),
                ('stage', models.CharField(choices=[('draft', 'Draft'), ('open', 'Open'), ('closed', 'Closed')], default='draft', max_length=6)),
                ('ending', models.CharField(blank=True, choices=[('', 'None'), ('won', 'Won'), ('ended', 'Ended'), ('paused', 'Paused'), ('moved', 'Moved')], default='', max_length=6)),
                ('ending_words', models.TextField(blank=True, max_length=2000)),
                ('ending_link', models.CharField(blank=True, max_length=300)),
                ('paused_at', models.DateTimeField(blank=True, null=True)),
                ('paused_because', models.CharField(blank=True, max_length=300)),
                ('paused_cause', models.CharField(blank=True, max_length=20)),
                ('paused_evidence', models.JSONField(blank=True, default=dict)),
                ('seen', models.JSONField(blank=True, default=dict)),
                ('stopped_at', models.DateTimeField(blank=True, null=True)),
                ('is_stopping', models.BooleanField(default=False)),
                ('opened_at', models.DateTimeField(blank=True, null=True)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('closes_at', models.DateTimeField(blank=True, null=True)),
                ('time_zone', models.CharField(db_default='UTC', default='UTC', max_length=40)),
                ('deadline', models.CharField(blank=True, max_length=60)),
                ('confirm_within_hours', models.PositiveSmallIntegerField(default=72)),
                ('never_twice', models.BooleanField(default=False)),
                ('most_links', models.PositiveSmallIntegerField(default=2)),
                ('is_compact', models.BooleanField(db_default=False, default=False)),
                ('look', models.JSONField(blank=True, default=dict)),
                ('logo', models.JSONField(blank=True, default=dict)),
                ('wrapped_key', models.BinaryField(max_length=60)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='campaigns', to='accounts.organisation')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('stage__in', ['draft', 'open', 'closed'])), name='campaign_stage_is_known'), models.CheckConstraint(condition=models.Q(('ending__in', ['', 'won', 'ended', 'paused', 'moved'])), name='campaign_ending_is_known'), models.CheckConstraint(condition=models.Q(('confirm_within_hours__gte', 1), ('confirm_within_hours__lte', 168)), name='campaign_confirmation_within_a_week')],
            },
        ),
        migrations.CreateModel(
            name='Ask',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('slug', models.SlugField(max_length=60)),
                ('default_language', models.CharField(default='en', max_length=12)),
                ('mode', models.CharField(choices=[('fixed', 'Everybody on the list'), ('suggested', 'A few, whom we suggest'), ('up_to', 'Those whom the supporter chooses'), ('by_country', "Those of the supporter's country")], db_default='fixed', default='fixed', max_length=10)),
                ('most_targets', models.PositiveSmallIntegerField(db_default=5, default=5)),
                ('suggested_targets', models.PositiveSmallIntegerField(db_default=3, default=3)),
                ('shows_town', models.BooleanField(default=False)),
                ('shows_email', models.BooleanField(default=False)),
                ('warns', models.BooleanField(blank=True, null=True)),
                ('target_list', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='asks', to='targets.targetlist')),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='asks', to='campaigns.campaign')),
            ],
            options={
                'ordering': ['position', 'id'],
                'constraints': [models.UniqueConstraint(fields=('campaign', 'slug'), name='ask_slug_once_per_campaign'), models.CheckConstraint(condition=models.Q(('slug__in', ['draft', 'confirm', 'letter']), _negated=True), name='ask_slug_is_not_a_step'), models.CheckConstraint(condition=models.Q(('mode__in', ['fixed', 'suggested', 'up_to', 'by_country'])), name='ask_mode_is_known'), models.CheckConstraint(condition=models.Q(('most_targets__gte', models.F('suggested_targets')), ('most_targets__lte', 40), ('suggested_targets__gte', 1), ('suggested_targets__lte', 3)), name='ask_suggests_within_its_limit')],
            },
        ),
        migrations.CreateModel(
            name='CampaignText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(max_length=12)),
                ('title', models.CharField(max_length=140)),
                ('summary', models.TextField(max_length=600)),
                ('question', models.CharField(default='Why does this matter to you?', max_length=120)),
                ('why_letters_help', models.TextField(blank=True, max_length=400)),
                ('background', models.TextField(blank=True, max_length=20000)),
                ('share_text', models.CharField(blank=True, max_length=280)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='texts', to='campaigns.campaign')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('campaign', 'language'), name='campaign_text_once')],
            },
        ),
        migrations.CreateModel(
            name='LetterTemplate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(max_length=12)),
                ('version', models.PositiveIntegerField(default=1)),
                ('subject', models.TextField(max_length=2000)),
                ('salutation', models.TextField(max_length=2000)),
                ('body', models.TextField(max_length=40000)),
                ('closing', models.TextField(max_length=2000)),
                ('used_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('ask', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='templates', to='campaigns.ask')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-version'],
                'constraints': [models.UniqueConstraint(fields=('ask', 'language', 'version'), name='template_version_once')],
            },
        ),
        migrations.CreateModel(
            name='Logo',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('svg', models.TextField(max_length=8192)),
                ('digest', models.CharField(max_length=16)),
                ('campaign', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='drawing', to='campaigns.campaign')),
            ],
        ),
        migrations.CreateModel(
            name='Partner',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=34)),
                ('name', models.CharField(max_length=120)),
                ('origins', models.JSONField(default=list)),
                ('look', models.JSONField(blank=True, default=dict)),
                ('consent_line', models.CharField(blank=True, db_default='', max_length=200)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='partners', to='campaigns.campaign')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('campaign', 'slug'), name='partner_once_per_campaign')],
            },
        ),
        migrations.CreateModel(
            name='AskText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(max_length=12)),
                ('title', models.CharField(max_length=120)),
                ('short', models.CharField(blank=True, max_length=300)),
                ('talking_points', models.JSONField(blank=True, default=list)),
                ('starters', models.JSONField(blank=True, default=list)),
                ('ask', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='texts', to='campaigns.ask')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('ask', 'language'), name='ask_text_once')],
            },
        ),
    ]
