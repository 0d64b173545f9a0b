import django.db.models.deletion
import letters.models
from django.conf import settings
from django.db import migrations, models


LEAVE_ROOM = """
ALTER TABLE letters_delivery SET (fillfactor = 60);
ALTER TABLE letters_deliverytally SET (fillfactor = 50);
ALTER TABLE letters_hourtally SET (fillfactor = 50)
"""  # so that the fence and the counts are written beside the row that they replace, and touch no index


def leave_room(_apps, schema_editor):
    if schema_editor.connection.vendor == 'postgresql':
        schema_editor.execute(LEAVE_ROOM)


class Migration(migrations.Migration):

    replaces = [('letters', '0001_initial'), ('letters', '0002_provider_names'), ('letters', '0003_replies'), ('letters', '0004_instance'), ('letters', '0005_faster_deliveries'), ('letters', '0006_pacing'), ('letters', '0007_self_reports'), ('letters', '0008_room_at_a_mailbox'), ('letters', '0009_supporters_rights'), ('letters', '0010_partner_consents'), ('letters', '0011_mail_to_writers')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0002_help_at'),
        ('campaigns', '0001_squashed_0010_campaign_is_compact'),
        ('targets', '0001_squashed_0005_photos'),
    ]

    operations = [
        migrations.CreateModel(
            name='Inquiry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.BinaryField(max_length=16, unique=True)),
                ('sealed', models.BinaryField()),
                ('language', models.CharField(max_length=12)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='SendingStop',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField()),
                ('by', models.CharField(max_length=120)),
                ('because', models.CharField(blank=True, max_length=300)),
                ('ended_at', models.DateTimeField(null=True)),
                ('ended_by', models.CharField(blank=True, max_length=120)),
            ],
        ),
        migrations.CreateModel(
            name='TroubledDomain',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('domain', models.CharField(max_length=255, unique=True)),
                ('strikes', models.PositiveIntegerField(default=0)),
                ('policy', models.PositiveIntegerField(default=0)),
                ('since', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
                ('code', models.PositiveSmallIntegerField(default=0)),
                ('words', models.CharField(blank=True, max_length=200)),
                ('rests_until', models.DateTimeField(null=True)),
                ('rests', models.PositiveSmallIntegerField(default=0)),
                ('probe', models.BigIntegerField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='ArrivalTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('source', models.CharField(max_length=20)),
                ('what', models.CharField(max_length=20)),
                ('count', models.BigIntegerField(default=0)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('day', 'source', 'what'), name='arrival_tally_cell')],
            },
        ),
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address_hash', models.BinaryField(max_length=32)),
                ('at', models.DateTimeField(db_index=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('address_hash', 'at'), name='erasure_once')],
            },
        ),
        migrations.CreateModel(
            name='Instance',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('identity', models.CharField(max_length=32)),
                ('epoch', models.BigIntegerField(default=0)),
                ('advanced_at', models.DateTimeField(null=True)),
                ('body', models.CharField(blank=True, max_length=80)),
                ('on_hold_since', models.DateTimeField(null=True)),
                ('on_hold_because', models.CharField(blank=True, choices=[('restored', 'Restored'), ('copied', 'Copied')], max_length=8)),
                ('held_up_to', models.BigIntegerField(default=0)),
                ('set_aside_at', models.DateTimeField(null=True)),
                ('refused_at', models.DateTimeField(null=True)),
                ('refused_because', models.CharField(blank=True, max_length=500)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='one_instance')],
            },
        ),
        migrations.CreateModel(
            name='SelfReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('posted', 'Posted'), ('own_mail', 'Sent from their own mail app')], max_length=8)),
                ('day', models.DateField()),
                ('count', models.PositiveIntegerField(default=0)),
                ('ask', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.ask')),
                ('campaign', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.campaign')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('campaign', 'ask', 'kind', 'day'), name='self_report_cell'), models.CheckConstraint(condition=models.Q(('kind__in', ['posted', 'own_mail'])), name='self_report_kind_known')],
            },
        ),
        migrations.CreateModel(
            name='Strain',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('began_at', models.DateTimeField()),
                ('shard', models.PositiveSmallIntegerField()),
                ('accepted', models.PositiveIntegerField(default=0)),
                ('refused', models.PositiveIntegerField(default=0)),
                ('code', models.PositiveSmallIntegerField(default=0)),
                ('words', models.CharField(blank=True, max_length=200)),
                ('domain', models.CharField(blank=True, max_length=255)),
                ('campaign', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.campaign')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('campaign', 'began_at', 'shard'), name='strain_cell')],
            },
        ),
        migrations.CreateModel(
            name='Supporter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.BinaryField(default=letters.models.new_key, max_length=16, unique=True)),
                ('address_hash', models.BinaryField(max_length=32)),
                ('sealed', models.BinaryField()),
                ('language', models.CharField(max_length=12)),
                ('proven_at', models.DateTimeField(blank=True, null=True)),
                ('wants_news_at', models.DateTimeField(blank=True, null=True)),
                ('erased_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='supporters', to='campaigns.campaign')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('campaign', 'address_hash'), name='supporter_once_per_campaign')],
            },
        ),
        migrations.CreateModel(
            name='Letter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.BinaryField(default=letters.models.new_key, max_length=16, unique=True)),
                ('stage', models.CharField(choices=[('draft', 'Draft'), ('awaiting_confirmation', 'Awaiting confirmation'), ('confirmed', 'Confirmed'), ('expired', 'Expired'), ('withdrawn', 'Withdrawn')], default='draft', max_length=21)),
                ('language', models.CharField(max_length=12)),
                ('draw', models.BigIntegerField()),
                ('sealed', models.BinaryField()),
                ('own_words', models.PositiveIntegerField(default=0)),
                ('proven', models.BooleanField(default=False)),
                ('source', models.CharField(blank=True, max_length=40)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField(null=True)),
                ('kept_until', models.DateTimeField(null=True)),
                ('mail_asked_at', models.DateTimeField(null=True)),
                ('remind_at', models.DateTimeField(null=True)),
                ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                ('passes_replies', models.BooleanField(db_default=False, default=False)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('ask', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='letters', to='campaigns.ask')),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='letters', to='campaigns.campaign')),
                ('template', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='letters', to='campaigns.lettertemplate')),
                ('supporter', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='letters', to='letters.supporter')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('stage__in', ['draft', 'awaiting_confirmation'])), fields=['expires_at'], name='letter_expiry'), models.Index(condition=models.Q(('stage', 'awaiting_confirmation')), fields=['remind_at'], name='letter_reminder')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('stage', 'confirmed')), fields=('ask', 'supporter'), name='one_letter_per_ask_and_supporter'), models.CheckConstraint(condition=models.Q(('stage__in', ['draft', 'awaiting_confirmation', 'confirmed', 'expired', 'withdrawn'])), name='letter_stage_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('stage', 'confirmed'), _negated=True), models.Q(('confirmed_at__isnull', False), ('supporter__isnull', False)), _connector='OR'), name='letter_confirmed_at_and_by')],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('held', 'Held'), ('queued', 'Queued'), ('sending', 'Sending'), ('sent', 'Sent'), ('failed', 'Failed'), ('uncertain', 'Uncertain'), ('cancelled', 'Cancelled')], default='queued', max_length=9)),
                ('feedback', models.PositiveSmallIntegerField(choices=[(0, 'None'), (1, 'Deferred'), (2, 'Delivered'), (3, 'Bounced'), (4, 'Complained')], default=0)),
                ('reason', models.CharField(blank=True, max_length=40)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('ambiguous', models.PositiveSmallIntegerField(default=0)),
                ('sent_again', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField(null=True)),
                ('released_for', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ('first_tried_at', models.DateTimeField(null=True)),
                ('rested_for', models.PositiveIntegerField(db_default=0, default=0)),
                ('message_date', models.DateTimeField(null=True)),
                ('token', models.CharField(blank=True, max_length=32)),
                ('lease_until', models.DateTimeField(null=True)),
                ('dot_at', models.DateTimeField(null=True)),
                ('digest', models.CharField(blank=True, max_length=64)),
                ('sent_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
                ('address', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='targets.address')),
                ('ask', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.ask')),
                ('campaign', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.campaign')),
                ('target', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='targets.target')),
                ('version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='targets.targetversion')),
                ('letter', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='letters.letter')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('due_at__isnull', False), ('state', 'queued')), fields=['due_at', 'id'], name='delivery_due'), models.Index(condition=models.Q(('attempts', 0), ('due_at__isnull', True), ('state', 'queued')), fields=['address', 'campaign', 'id'], name='delivery_unpaced_untried'), models.Index(condition=models.Q(('attempts__gt', 0), ('due_at__isnull', True), ('state', 'queued')), fields=['address', 'campaign', 'id'], name='delivery_unpaced_tried'), models.Index(condition=models.Q(('due_at__isnull', False), ('released_for__gt', 0), ('state', 'queued')), fields=['address'], name='delivery_released'), models.Index(condition=models.Q(('due_at__isnull', False), ('state', 'queued')), fields=['address'], name='delivery_due_of_mailbox'), models.Index(condition=models.Q(('attempts__gt', 0), ('state', 'queued')), fields=['campaign'], name='delivery_retried'), models.Index(condition=models.Q(('state', 'sending')), fields=['lease_until'], name='delivery_leased'), models.Index(condition=models.Q(('state__in', ['held', 'failed', 'uncertain'])), fields=['campaign', 'state', 'id'], name='delivery_needs_somebody'), models.Index(condition=models.Q(('state', 'held')), fields=['campaign', 'reason'], name='delivery_held'), models.Index(fields=['target', 'id'], name='delivery_of_target'), models.Index(condition=models.Q(('feedback__gte', 2), ('state__in', ['held', 'queued', 'uncertain'])), fields=['id'], name='delivery_proved')],
                'constraints': [models.UniqueConstraint(fields=('letter', 'target'), name='one_delivery_per_letter_and_target'), models.CheckConstraint(condition=models.Q(('state__in', ['held', 'queued', 'sending', 'sent', 'failed', 'uncertain', 'cancelled'])), name='delivery_state_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'sent'), _negated=True), ('sent_at__isnull', False), _connector='OR'), name='sent_means_handed_over_at'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'sending'), _negated=True), models.Q(('lease_until__isnull', False), models.Q(('token', ''), _negated=True)), _connector='OR'), name='sending_means_leased'), models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['sent', 'failed', 'cancelled']), _negated=True), ('ended_at__isnull', False), _connector='OR'), name='ended_means_ended_at')],
            },
        ),
        migrations.CreateModel(
            name='ProviderName',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255)),
                ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='provider_names', to='letters.delivery')),
            ],
            options={
                'indexes': [models.Index(fields=['name'], name='delivery_by_provider_name')],
            },
        ),
        migrations.CreateModel(
            name='Reply',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.BinaryField(max_length=16)),
                ('digest', models.CharField(max_length=64)),
                ('received_at', models.DateTimeField()),
                ('is_automatic', models.BooleanField(default=False)),
                ('sealed', models.BinaryField()),
                ('forwarded_at', models.DateTimeField(null=True)),
                ('campaign', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.campaign')),
                ('delivery', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='replies', to='letters.delivery')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('is_automatic', False)), fields=['campaign', '-id'], name='replies_of_campaign'), models.Index(condition=models.Q(('sealed', b''), _negated=True), fields=['received_at'], name='reply_expiry')],
                'constraints': [models.UniqueConstraint(fields=('delivery', 'digest'), name='reply_once')],
            },
        ),
        migrations.CreateModel(
            name='Report',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.PositiveSmallIntegerField(choices=[(3, 'Bounced'), (4, 'Complained')])),
                ('at', models.DateTimeField()),
                ('status', models.CharField(blank=True, max_length=12)),
                ('words', models.CharField(blank=True, max_length=300)),
                ('source', models.CharField(max_length=20)),
                ('delivery', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='letters.delivery')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('delivery', 'kind'), name='report_once_per_delivery_and_kind')],
            },
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('news', 'Tell me what happens'), ('once', 'Tell me once'), ('partner', 'A partner may write to me')], max_length=7)),
                ('partner_name', models.CharField(blank=True, db_default='', max_length=120)),
                ('words', models.CharField(max_length=300)),
                ('language', models.CharField(max_length=12)),
                ('given_at', models.DateTimeField()),
                ('withdrawn_at', models.DateTimeField(null=True)),
                ('partner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='consents', to='campaigns.partner')),
                ('supporter', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='consents', to='letters.supporter')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('purpose__in', ['news', 'once']), ('withdrawn_at__isnull', True)), fields=('supporter', 'purpose'), name='one_consent_in_force'), models.UniqueConstraint(condition=models.Q(('purpose', 'partner'), ('withdrawn_at__isnull', True)), fields=('supporter', 'partner'), name='one_consent_in_force_for_a_partner'), models.CheckConstraint(condition=models.Q(('purpose__in', ['news', 'once', 'partner'])), name='consent_purpose_is_known'), models.CheckConstraint(condition=models.Q(('purpose', 'partner'), models.Q(('partner__isnull', True), ('partner_name', '')), _connector='OR'), name='consent_to_a_partner')],
            },
        ),
        migrations.CreateModel(
            name='Telling',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('words', models.TextField(max_length=2000)),
                ('by', models.CharField(max_length=120)),
                ('at', models.DateTimeField()),
                ('people', models.PositiveIntegerField(default=0)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tellings', to='campaigns.campaign')),
            ],
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('confirmation', 'Confirmation'), ('reminder', 'Reminder'), ('later', 'Continue later'), ('reply', 'Reply'), ('my_data', 'My data'), ('already', 'Already written'), ('copy', 'Copy'), ('once', 'Tell me once'), ('told', 'Told once')], max_length=12)),
                ('language', models.CharField(blank=True, db_default='', max_length=12)),
                ('sealed', models.BinaryField(db_default=b'', default=b'')),
                ('key', models.BinaryField(default=letters.models.new_key, max_length=16, unique=True)),
                ('code_tries', models.PositiveSmallIntegerField(default=0)),
                ('used_at', models.DateTimeField(null=True)),
                ('address_hash', models.BinaryField(max_length=32)),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('sending', 'Sending'), ('sent', 'Sent'), ('failed', 'Failed')], default='queued', max_length=7)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField()),
                ('lease_until', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('came_back_at', models.DateTimeField(null=True)),
                ('letter', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='letters.letter')),
                ('reply', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='letters.reply')),
                ('supporter', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='letters.supporter')),
                ('telling', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='letters.telling')),
            ],
            options={
                'indexes': [models.Index(fields=['address_hash', 'created_at'], name='notices_to_address'), models.Index(condition=models.Q(('state__in', ['queued', 'sending'])), fields=['due_at'], name='notice_due')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'sending', 'sent', 'failed'])), name='notice_state_is_known'), models.CheckConstraint(condition=models.Q(('kind__in', ['my_data', 'once', 'told']), ('letter__isnull', False), _connector='OR'), name='notice_about_a_letter'), models.UniqueConstraint(condition=models.Q(('kind', 'copy')), fields=('letter',), name='one_copy_per_letter')],
            },
        ),
        migrations.CreateModel(
            name='ToldReply',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('real', 'A real answer'), ('standard', 'A standard text'), ('acknowledged', 'Only that it arrived'), ('none', 'No answer'), ('unexpected', 'None is expected')], max_length=12)),
                ('told_at', models.DateTimeField()),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.campaign')),
                ('delivery', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='told_reply', to='letters.delivery')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['real', 'standard', 'acknowledged', 'none', 'unexpected'])), name='told_reply_kind_is_known')],
            },
        ),
        migrations.CreateModel(
            name='Alarm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cause', models.CharField(max_length=20)),
                ('evidence', models.JSONField(default=dict)),
                ('paused_at', models.DateTimeField()),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField()),
                ('lease_until', models.DateTimeField(null=True)),
                ('mailed_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.campaign')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['due_at'], name='alarm_due')],
                'constraints': [models.UniqueConstraint(fields=('campaign', 'user', 'paused_at'), name='one_alarm_per_pause_and_member')],
            },
        ),
        migrations.CreateModel(
            name='AttemptAt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('address', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='targets.address')),
            ],
            options={
                'indexes': [models.Index(fields=['address', 'at'], name='attempts_of_mailbox')],
            },
        ),
        migrations.CreateModel(
            name='DeliveryEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('from_state', models.CharField(max_length=9)),
                ('to_state', models.CharField(max_length=9)),
                ('reason', models.CharField(blank=True, max_length=40)),
                ('code', models.PositiveSmallIntegerField(null=True)),
                ('words', models.CharField(blank=True, max_length=300)),
                ('token', models.CharField(blank=True, max_length=32)),
                ('by', models.CharField(blank=True, max_length=120)),
                ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='letters.delivery')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('from_state', models.F('to_state')), _negated=True), name='event_is_a_move')],
            },
        ),
        migrations.CreateModel(
            name='DeliveryTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(max_length=9)),
                ('tried', models.BooleanField()),
                ('feedback', models.PositiveSmallIntegerField()),
                ('shard', models.PositiveSmallIntegerField()),
                ('count', models.BigIntegerField()),
                ('ask', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.ask')),
                ('campaign', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.campaign')),
                ('target', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='targets.target')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'queued')), fields=['target'], name='delivery_tally_waiting')],
                'constraints': [models.UniqueConstraint(fields=('campaign', 'ask', 'target', 'state', 'tried', 'feedback', 'shard'), name='delivery_tally_cell')],
            },
        ),
        migrations.CreateModel(
            name='HourTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hour', models.DateTimeField()),
                ('measure', models.CharField(choices=[('own_0', 'Letters without own words'), ('own_1', 'Letters with 1 to 9 own words'), ('own_10', 'Letters with 10 to 29 own words'), ('own_30', 'Letters with 30 or more own words'), ('sent', 'Deliveries accepted'), ('failed', 'Deliveries returned'), ('uncertain', 'Deliveries unclear')], max_length=10)),
                ('shard', models.PositiveSmallIntegerField()),
                ('count', models.BigIntegerField()),
                ('ask', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.ask')),
                ('campaign', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.campaign')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('campaign', 'ask', 'hour', 'measure', 'shard'), name='hour_tally_cell')],
            },
        ),
        migrations.RunPython(leave_room, migrations.RunPython.noop),
    ]
