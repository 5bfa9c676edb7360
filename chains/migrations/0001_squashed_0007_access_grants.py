import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('chains', '0001_initial'), ('chains', '0002_initial'), ('chains', '0003_readers_and_search'), ('chains', '0004_take_over'), ('chains', '0005_missing_chains'), ('chains', '0006_networks_of_their_own'), ('chains', '0007_access_grants')]

    initial = True

    dependencies = [
        ('console', '0001_squashed_0005_step_tries'),
        ('console', '__first__'),
        ('platforms', '0001_squashed_0004_drafts'),
        ('unions', '0001_squashed_0010_drifts'),
    ]

    operations = [
        migrations.CreateModel(
            name='Blockchain',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(editable=False, max_length=40, unique=True, verbose_name='id')),
                ('external_id', models.CharField(max_length=200, verbose_name='externalid')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('extrainfo', models.TextField(blank=True)),
                ('cloudtype', models.CharField(choices=[('cloud', 'Cloud'), ('on_prem', 'On-prem'), ('both', 'Cloud and on-prem')], default='cloud', max_length=20, verbose_name='cloudtype')),
                ('infraspec', models.JSONField(blank=True, default=dict)),
                ('blockspec', models.JSONField(blank=True, default=dict)),
                ('state', models.CharField(choices=[('creating', 'Being created'), ('running', 'Running'), ('deleted', 'Deleted')], default='running', max_length=20, verbose_name='state')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('height', models.PositiveBigIntegerField(blank=True, null=True, verbose_name='height')),
                ('block_hash', models.CharField(blank=True, max_length=100)),
                ('block_time', models.DateTimeField(blank=True, null=True)),
                ('transactions_total', models.PositiveBigIntegerField(blank=True, null=True, verbose_name='transactions')),
                ('read_at', models.DateTimeField(blank=True, null=True, verbose_name='read')),
                ('read_error', models.CharField(blank=True, max_length=500)),
                ('missing_since', models.DateTimeField(blank=True, null=True)),
                ('read_failures', models.PositiveIntegerField(default=0)),
                ('details_read_at', models.DateTimeField(blank=True, null=True)),
                ('next_read_at', models.DateTimeField(blank=True, db_index=True, null=True)),
                ('reader', models.UUIDField(blank=True, editable=False, null=True)),
                ('lease_until', models.DateTimeField(blank=True, editable=False, null=True)),
                ('organizations', models.ManyToManyField(related_name='blockchains', to='unions.organization')),
            ],
            options={
                'ordering': ['business_chain', 'id'],
            },
        ),
        migrations.CreateModel(
            name='AccessGrant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(blank=True, max_length=200, verbose_name='purpose')),
                ('preset', models.CharField(choices=[('read', 'Read only'), ('read_and_send', 'Read and send'), ('custom', 'Chosen methods')], default='read', max_length=20, verbose_name='methods')),
                ('methods', models.JSONField(default=list)),
                ('quota_per_day', models.PositiveIntegerField(verbose_name='calls a day')),
                ('rate_per_minute', models.PositiveIntegerField(verbose_name='calls a minute')),
                ('expires_at', models.DateTimeField(blank=True, null=True, verbose_name='expires')),
                ('revoked_at', models.DateTimeField(blank=True, null=True, verbose_name='revoked')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='made')),
                ('minute', models.DateTimeField(editable=False, null=True)),
                ('in_minute', models.PositiveIntegerField(default=0, editable=False)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='unions.organization')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('blockchain', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='access_grants', to='chains.blockchain')),
            ],
            options={
                'ordering': ['-created_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='BusinessChain',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(editable=False, max_length=40, unique=True, verbose_name='id')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('network_id', models.CharField(blank=True, max_length=200, verbose_name='network')),
                ('createmode', models.CharField(choices=[('multi_subchain', 'Several chains that share nodes'), ('isolated', 'Several chains that share no node'), ('private', 'One chain in one space')], default='multi_subchain', max_length=20, verbose_name='mode')),
                ('state', models.CharField(choices=[('creating', 'Being created'), ('running', 'Running'), ('deleted', 'Deleted')], default='running', max_length=20, verbose_name='state')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='created')),
                ('creator', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='unions.organization')),
                ('organizations', models.ManyToManyField(related_name='business_chains', to='unions.organization')),
                ('platform', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='platforms.platform')),
                ('union', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='business_chains', to='unions.union')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.AddField(
            model_name='blockchain',
            name='business_chain',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='blockchains', to='chains.businesschain'),
        ),
        migrations.CreateModel(
            name='GrantUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('reads', models.PositiveIntegerField(default=0)),
                ('sends', models.PositiveIntegerField(default=0)),
                ('summarized', models.BooleanField(default=False)),
                ('grant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='uses', to='chains.accessgrant')),
            ],
            options={
                'ordering': ['-day'],
            },
        ),
        migrations.CreateModel(
            name='Node',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('external_id', models.CharField(max_length=200)),
                ('role', models.CharField(default='peer', max_length=40, verbose_name='role')),
                ('endpoint', models.CharField(blank=True, max_length=300, verbose_name='endpoint')),
                ('state', models.CharField(choices=[('creating', 'Being created'), ('running', 'Running'), ('stopped', 'Stopped'), ('failed', 'Failed'), ('unknown', 'Unknown'), ('missing', 'Gone from the platform')], default='unknown', max_length=20, verbose_name='state')),
                ('version', models.CharField(blank=True, max_length=100, verbose_name='version')),
                ('read_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='read')),
                ('blockchain', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='nodes', to='chains.blockchain')),
                ('organization', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='nodes', to='unions.organization')),
            ],
            options={
                'ordering': ['blockchain', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Sample',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60)),
                ('value', models.FloatField()),
                ('unit', models.CharField(blank=True, max_length=20)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('blockchain', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='samples', to='chains.blockchain')),
            ],
            options={
                'ordering': ['at'],
            },
        ),
        migrations.CreateModel(
            name='TakeOver',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('network_ids', models.JSONField(default=list)),
                ('dry_run', models.BooleanField(default=False)),
                ('left_out', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='started')),
                ('flow', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='take_over', to='console.flow')),
                ('platform', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='take_overs', to='platforms.platform')),
                ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='TakeOverNetwork',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('network_id', models.CharField(max_length=200, verbose_name='network')),
                ('name', models.CharField(blank=True, max_length=200, verbose_name='name')),
                ('verdict', models.CharField(choices=[('listed', 'Not read yet'), ('read', 'Read'), ('new', 'Can be taken over'), ('managed', 'Managed already'), ('unusable', 'Cannot be taken over'), ('unknown', 'Not on the platform'), ('created', 'Taken over'), ('taken_back', 'Taken back')], default='listed', max_length=20, verbose_name='verdict')),
                ('reason', models.TextField(blank=True)),
                ('reading', models.JSONField(blank=True, default=dict)),
                ('plan', models.JSONField(blank=True, default=dict)),
                ('take_over', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='networks', to='chains.takeover')),
                ('union', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='unions.union')),
            ],
            options={
                'ordering': ['take_over', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Transaction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hash', models.CharField(max_length=100, verbose_name='hash')),
                ('height', models.PositiveBigIntegerField(verbose_name='block')),
                ('index', models.PositiveIntegerField(default=0)),
                ('time', models.DateTimeField(blank=True, null=True, verbose_name='time')),
                ('sender', models.CharField(blank=True, max_length=100, verbose_name='from')),
                ('recipient', models.CharField(blank=True, max_length=100, verbose_name='to')),
                ('value', models.CharField(blank=True, max_length=100, verbose_name='value')),
                ('contract', models.CharField(blank=True, max_length=100, verbose_name='contract')),
                ('status', models.CharField(choices=[('pending', 'Pending'), ('committed', 'Committed'), ('failed', 'Failed'), ('unknown', 'Unknown')], default='unknown', max_length=20, verbose_name='state')),
                ('input', models.TextField(blank=True)),
                ('extrainfo', models.TextField(blank=True)),
                ('blockchain', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='transactions', to='chains.blockchain')),
            ],
            options={
                'ordering': ['-height', '-index'],
            },
        ),
        migrations.CreateModel(
            name='Block',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('height', models.PositiveBigIntegerField(verbose_name='height')),
                ('hash', models.CharField(max_length=100, verbose_name='hash')),
                ('parent_hash', models.CharField(blank=True, max_length=100, verbose_name='parent')),
                ('time', models.DateTimeField(blank=True, null=True, verbose_name='time')),
                ('transactions_count', models.PositiveIntegerField(default=0, verbose_name='transactions')),
                ('blockchain', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='blocks', to='chains.blockchain')),
            ],
            options={
                'ordering': ['-height'],
                'indexes': [models.Index(fields=['hash'], name='chains_bloc_hash_46518d_idx'), models.Index(fields=['blockchain', 'time'], name='block_by_time')],
                'constraints': [models.UniqueConstraint(fields=('blockchain', 'height'), name='block_once')],
            },
        ),
        migrations.AddConstraint(
            model_name='accessgrant',
            constraint=models.CheckConstraint(condition=models.Q(('preset__in', ['read', 'read_and_send', 'custom'])), name='access_grant_preset_known'),
        ),
        migrations.AddConstraint(
            model_name='accessgrant',
            constraint=models.CheckConstraint(condition=models.Q(('quota_per_day__gte', 1), ('rate_per_minute__gte', 1)), name='access_grant_limits'),
        ),
        migrations.AddConstraint(
            model_name='businesschain',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['creating', 'running', 'deleted'])), name='business_chain_state_known'),
        ),
        migrations.AddIndex(
            model_name='blockchain',
            index=models.Index(condition=models.Q(('reader__isnull', False)), fields=['reader'], name='blockchain_reader'),
        ),
        migrations.AddConstraint(
            model_name='blockchain',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['creating', 'running', 'deleted'])), name='blockchain_state_known'),
        ),
        migrations.AddIndex(
            model_name='grantuse',
            index=models.Index(condition=models.Q(('summarized', False)), fields=['day'], name='grant_use_open'),
        ),
        migrations.AddConstraint(
            model_name='grantuse',
            constraint=models.UniqueConstraint(fields=('grant', 'day'), name='grant_use_once_a_day'),
        ),
        migrations.AddConstraint(
            model_name='node',
            constraint=models.UniqueConstraint(fields=('blockchain', 'external_id'), name='node_once_per_blockchain'),
        ),
        migrations.AddIndex(
            model_name='sample',
            index=models.Index(fields=['blockchain', 'name', 'at'], name='chains_samp_blockch_585cf0_idx'),
        ),
        migrations.AddConstraint(
            model_name='takeovernetwork',
            constraint=models.UniqueConstraint(fields=('take_over', 'network_id'), name='take_over_network_once'),
        ),
        migrations.AddConstraint(
            model_name='takeovernetwork',
            constraint=models.CheckConstraint(condition=models.Q(('verdict__in', ['listed', 'read', 'new', 'managed', 'unusable', 'unknown', 'created', 'taken_back'])), name='take_over_verdict_known'),
        ),
        migrations.AddIndex(
            model_name='transaction',
            index=models.Index(fields=['blockchain', '-height', '-index'], name='chains_tran_blockch_0c1479_idx'),
        ),
        migrations.AddIndex(
            model_name='transaction',
            index=models.Index(fields=['hash'], name='transaction_hash'),
        ),
        migrations.AddConstraint(
            model_name='transaction',
            constraint=models.UniqueConstraint(fields=('blockchain', 'hash'), name='transaction_once'),
        ),
    ]
