import console.secrets
import django.db.models.deletion
import django.utils.timezone
import django_fsm
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('platforms', '0001_initial'), ('platforms', '0002_certificate_expiry'), ('platforms', '0003_native_networks'), ('platforms', '0004_drafts')]

    initial = True

    dependencies = [
        ('console', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='NativeNetwork',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('network_id', models.CharField(max_length=60, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='NativeChain',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('chain_id', models.CharField(max_length=60, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('consensus', models.CharField(max_length=20)),
                ('number', models.PositiveBigIntegerField()),
                ('period', models.PositiveIntegerField()),
                ('genesis', models.JSONField(default=dict)),
                ('built', models.BooleanField(default=False)),
                ('counted_height', models.BigIntegerField(default=-1)),
                ('counted_transactions', models.PositiveBigIntegerField(default=0)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('network', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='chains', to='platforms.nativenetwork')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Platform',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('oemtype', models.SlugField(max_length=60, verbose_name='oemtype')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('kind', models.CharField(choices=[('mapped', 'Mapped'), ('evm', 'EVM, native'), ('fabric', 'Fabric, native')], max_length=20, verbose_name='kind')),
                ('cloudtype', models.CharField(choices=[('cloud', 'Cloud'), ('on_prem', 'On-prem'), ('both', 'Cloud and on-prem')], default='cloud', max_length=20, verbose_name='cloudtype')),
                ('kernel', models.CharField(blank=True, choices=[('fabric', 'Fabric'), ('quorum', 'Quorum'), ('ethereum', 'Ethereum')], default='', max_length=20, verbose_name='kernel')),
                ('base_url', models.URLField(max_length=300, verbose_name='address')),
                ('on_prem_base_url', models.URLField(blank=True, max_length=300, verbose_name='address for on-prem organizations')),
                ('credentials', console.secrets.SealedField(blank=True, null=True)),
                ('ca_certificate', models.TextField(blank=True, verbose_name='certificate authority')),
                ('state', django_fsm.FSMField(choices=[('staged', 'Staged'), ('checking', 'Being checked'), ('official', 'Official'), ('refused', 'Refused'), ('retired', 'Retired')], default='staged', max_length=50, protected=True, verbose_name='state')),
                ('is_default', models.BooleanField(default=False, verbose_name='default platform')),
                ('reason', models.TextField(blank=True, verbose_name='reason')),
                ('capabilities', models.JSONField(default=dict)),
                ('health', models.CharField(choices=[('up', 'Up'), ('degraded', 'Degraded'), ('down', 'Down'), ('unknown', 'Unknown')], default='unknown', max_length=20, verbose_name='health')),
                ('health_detail', models.CharField(blank=True, max_length=500)),
                ('health_at', models.DateTimeField(blank=True, null=True)),
                ('platform_version', models.CharField(blank=True, max_length=100, verbose_name='version')),
                ('certificate_expires_at', models.DateTimeField(blank=True, null=True, verbose_name='certificate expires')),
                ('certificate_warned_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='registered')),
                ('revision', models.PositiveIntegerField(default=1)),
                ('registered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['name'],
            },
            bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
        ),
        migrations.AddField(
            model_name='nativenetwork',
            name='platform',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='native_networks', to='platforms.platform'),
        ),
        migrations.CreateModel(
            name='PlatformVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('api_file', models.TextField()),
                ('mapping', models.TextField()),
                ('samples', models.JSONField(blank=True, default=dict)),
                ('findings', models.JSONField(blank=True, default=list)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('platform', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='platforms.platform')),
            ],
            options={
                'ordering': ['platform', '-number'],
            },
        ),
        migrations.AddField(
            model_name='platform',
            name='version',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='platforms.platformversion'),
        ),
        migrations.CreateModel(
            name='Tenant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tenantid', models.CharField(max_length=100)),
                ('tenantname', models.CharField(blank=True, max_length=200)),
                ('projectid', models.CharField(blank=True, max_length=100)),
                ('projectname', models.CharField(blank=True, max_length=200)),
                ('read_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('platform', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tenants', to='platforms.platform')),
            ],
            options={
                'ordering': ['tenantname'],
            },
        ),
        migrations.CreateModel(
            name='NativeMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('orgcode', models.CharField(max_length=40)),
                ('name', models.CharField(max_length=200)),
                ('network', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='members', to='platforms.nativenetwork')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(fields=('network', 'orgcode'), name='native_member_once')],
            },
        ),
        migrations.CreateModel(
            name='NativeNode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('node_id', models.CharField(max_length=80, unique=True)),
                ('orgcode', models.CharField(max_length=40)),
                ('validator', models.BooleanField(default=True)),
                ('ip', models.CharField(max_length=255)),
                ('engine_port', models.PositiveIntegerField()),
                ('slot', models.PositiveIntegerField()),
                ('p2p_port', models.PositiveIntegerField()),
                ('rpc_port', models.PositiveIntegerField()),
                ('image', models.CharField(max_length=300)),
                ('address', models.CharField(blank=True, max_length=42)),
                ('enode', models.CharField(blank=True, max_length=300)),
                ('built', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('chain', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='nodes', to='platforms.nativechain')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(fields=('ip', 'slot'), name='native_node_slot_once')],
            },
        ),
        migrations.CreateModel(
            name='Draft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=200, verbose_name='title')),
                ('preset', models.CharField(blank=True, max_length=60, verbose_name='preset')),
                ('api_file', models.TextField(blank=True, verbose_name='API file')),
                ('mapping', models.TextField(blank=True, verbose_name='mapping')),
                ('samples', models.TextField(blank=True, verbose_name='samples')),
                ('api_state', models.CharField(choices=[('none', 'No API file yet'), ('reading', 'Being read'), ('ready', 'Read'), ('unreadable', 'Cannot be read')], default='none', max_length=20, verbose_name='state')),
                ('api_document', models.TextField(blank=True)),
                ('api_problems', models.JSONField(blank=True, default=list)),
                ('setup', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='begun')),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='changed')),
                ('revision', models.PositiveIntegerField(default=1)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('platform', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='platforms.platform')),
                ('registration', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='platforms.platform')),
            ],
            options={
                'ordering': ['-changed_at', '-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('api_state__in', ['none', 'reading', 'ready', 'unreadable'])), name='draft_api_state_known')],
            },
        ),
        migrations.AddConstraint(
            model_name='platformversion',
            constraint=models.UniqueConstraint(fields=('platform', 'number'), name='platform_version_once'),
        ),
        migrations.AddConstraint(
            model_name='platform',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['refused', 'retired']), _negated=True), fields=('oemtype',), name='platform_oemtype_once'),
        ),
        migrations.AddConstraint(
            model_name='platform',
            constraint=models.UniqueConstraint(condition=models.Q(('is_default', True), ('state', 'official')), fields=('is_default',), name='platform_one_default'),
        ),
        migrations.AddConstraint(
            model_name='platform',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['staged', 'checking', 'official', 'refused', 'retired'])), name='platform_state_known'),
        ),
        migrations.AddConstraint(
            model_name='platform',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'official'), _negated=True), models.Q(('kind', 'mapped'), _negated=True), ('version__isnull', False), _connector='OR'), name='platform_official_has_version'),
        ),
        migrations.AddConstraint(
            model_name='tenant',
            constraint=models.UniqueConstraint(fields=('platform', 'tenantid'), name='tenant_once_per_platform'),
        ),
    ]
