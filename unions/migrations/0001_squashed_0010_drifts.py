import console.secrets
import django.db.models.deletion
import django.utils.timezone
import django_fsm
import unions.models.organizations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('unions', '0001_initial'), ('unions', '0002_say_lapses'), ('unions', '0003_chain_proposals'), ('unions', '0004_rules_and_reminders'), ('unions', '0005_placeholders'), ('unions', '0006_quotas'), ('unions', '0007_name_keys'), ('unions', '0008_certificate_warnings'), ('unions', '0009_closed_organizations'), ('unions', '0010_drifts')]

    initial = True

    dependencies = [
        ('console', '0001_squashed_0005_step_tries'),
        ('console', '__first__'),
        ('platforms', '0001_squashed_0004_drafts'),
    ]

    operations = [
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('administrator', 'Administrator'), ('operator', 'Operator'), ('viewer', 'Viewer')], max_length=20, verbose_name='role')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['organization', 'user'],
            },
        ),
        migrations.CreateModel(
            name='Organization',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('orgcode', models.CharField(editable=False, max_length=40, unique=True, verbose_name='orgcode')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('name_key', models.CharField(editable=False, max_length=240, unique=True)),
                ('category', models.CharField(choices=[('cloud', 'Cloud'), ('on_prem', 'On-prem')], max_length=20, verbose_name='category')),
                ('state', models.CharField(choices=[('registered', 'Registered'), ('closed', 'Closed'), ('placeholder', 'Placeholder')], default='registered', max_length=20, verbose_name='standing')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='registered')),
                ('members', models.ManyToManyField(related_name='organizations', through='unions.Membership', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.AddField(
            model_name='membership',
            name='organization',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='unions.organization'),
        ),
        migrations.CreateModel(
            name='Proposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('create', 'Create a union'), ('join', 'Join a union'), ('quit', 'Quit a union'), ('delete', 'Delete a union'), ('chain_create', 'Create a chain'), ('chain_join', 'Join a chain'), ('chain_quit', 'Quit a chain'), ('chain_delete', 'Delete a chain'), ('chain_scale', 'Change the number of nodes'), ('rule', 'Change the rule of a union'), ('claim', 'Claim a placeholder'), ('mend', 'Mend a difference')], max_length=20, verbose_name='kind')),
                ('subject_key', models.CharField(max_length=300)),
                ('subject_name', models.CharField(max_length=200, verbose_name='union')),
                ('payload', models.JSONField(default=dict)),
                ('rule', models.CharField(choices=[('everyone', 'Everyone agrees'), ('majority', 'More than half agree'), ('threshold', 'A share agrees')], default='everyone', max_length=20, verbose_name='rule')),
                ('threshold', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='share')),
                ('state', django_fsm.FSMField(choices=[('open', 'Open'), ('carried', 'Agreed'), ('refused', 'Refused'), ('withdrawn', 'Withdrawn'), ('expired', 'Expired')], default='open', max_length=50, protected=True, verbose_name='state')),
                ('comment', models.TextField(blank=True, verbose_name='comment')),
                ('opened_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='opened')),
                ('expires_at', models.DateTimeField(verbose_name='expires')),
                ('reminded_at', models.DateTimeField(blank=True, null=True, verbose_name='reminded')),
                ('decided_at', models.DateTimeField(blank=True, null=True, verbose_name='decided')),
                ('reason', models.TextField(blank=True, verbose_name='reason')),
                ('console_asked', models.BooleanField(default=False)),
                ('console_agrees', models.BooleanField(blank=True, null=True)),
                ('console_comment', models.TextField(blank=True)),
                ('concerns', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='unions.organization')),
                ('console_answered_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('flow', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='console.flow')),
                ('opened_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('proposer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='unions.organization')),
            ],
            options={
                'ordering': ['-opened_at'],
            },
            bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
        ),
        migrations.CreateModel(
            name='Elector',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('lapsed_at', models.DateTimeField(blank=True, null=True)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='unions.organization')),
                ('proposal', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='electors', to='unions.proposal')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Registration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('organization_name', models.CharField(max_length=200, verbose_name='organization')),
                ('name_key', models.CharField(editable=False, max_length=240)),
                ('category', models.CharField(choices=[('cloud', 'Cloud'), ('on_prem', 'On-prem')], max_length=20, verbose_name='category')),
                ('tenantid', models.CharField(blank=True, max_length=100, verbose_name='tenant id')),
                ('details', models.JSONField(default=dict)),
                ('secrets', console.secrets.SealedField(blank=True, null=True)),
                ('state', django_fsm.FSMField(choices=[('pending', 'Pending'), ('approved', 'Approved'), ('refused', 'Refused')], default='pending', max_length=50, protected=True, verbose_name='state')),
                ('reason', models.TextField(blank=True, verbose_name='reason')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='time')),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organization', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='registration', to='unions.organization')),
                ('platform', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='platforms.platform')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='registrations', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at'],
            },
            bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
        ),
        migrations.CreateModel(
            name='RegistrationRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True, verbose_name='name')),
                ('category', models.CharField(blank=True, choices=[('cloud', 'Cloud'), ('on_prem', 'On-prem')], max_length=20, verbose_name='category')),
                ('email_domain', models.CharField(blank=True, max_length=200, verbose_name='e-mail domain')),
                ('enabled', models.BooleanField(default=True, verbose_name='enabled')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('platform', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='platforms.platform')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='ResourceSpace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('tenant', 'Tenant space'), ('physical', 'Physical resource set'), ('released', 'Released'), ('found', 'Found on the platform')], max_length=20, verbose_name='kind')),
                ('tenantid', models.CharField(blank=True, max_length=100, verbose_name='tenant id')),
                ('tenantname', models.CharField(blank=True, max_length=200, verbose_name='tenant name')),
                ('projectid', models.CharField(blank=True, max_length=100, verbose_name='project id')),
                ('projectname', models.CharField(blank=True, max_length=200, verbose_name='project name')),
                ('ak', console.secrets.SealedField(blank=True, null=True)),
                ('sk', console.secrets.SealedField(blank=True, null=True)),
                ('token', console.secrets.SealedField(blank=True, null=True)),
                ('tlscert', console.secrets.SealedField(blank=True, null=True)),
                ('tlscert_expires_at', models.DateTimeField(blank=True, null=True, verbose_name='certificate expires')),
                ('tlscert_warned_at', models.DateTimeField(blank=True, null=True)),
                ('quota_nodes', models.PositiveIntegerField(blank=True, default=unions.models.organizations.default_quota_nodes, null=True, verbose_name='node quota')),
                ('quota_chains', models.PositiveIntegerField(blank=True, default=unions.models.organizations.default_quota_chains, null=True, verbose_name='chain quota')),
                ('organization', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='space', to='unions.organization')),
                ('platform', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='spaces', to='platforms.platform')),
            ],
            options={
                'ordering': ['organization__name'],
            },
        ),
        migrations.CreateModel(
            name='Reservation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('nodes', models.PositiveIntegerField(verbose_name='nodes')),
                ('chains', models.PositiveIntegerField(verbose_name='chains')),
                ('in_use', models.BooleanField(default=False, verbose_name='in use')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('flow', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reservations', to='console.flow')),
                ('space', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reservations', to='unions.resourcespace')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Machine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ip', models.CharField(max_length=255, verbose_name='address')),
                ('port', models.PositiveIntegerField(verbose_name='port')),
                ('space', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='machines', to='unions.resourcespace')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Union',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('unionid', models.CharField(editable=False, max_length=40, unique=True, verbose_name='unionid')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('name_key', models.CharField(editable=False, max_length=240)),
                ('network_id', models.CharField(max_length=200, verbose_name='network')),
                ('uid', models.CharField(blank=True, max_length=40, verbose_name='business chain')),
                ('rule', models.CharField(choices=[('everyone', 'Everyone agrees'), ('majority', 'More than half agree'), ('threshold', 'A share agrees')], default='everyone', max_length=20, verbose_name='rule')),
                ('threshold', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='share')),
                ('state', django_fsm.FSMField(choices=[('building', 'Being built'), ('active', 'Active'), ('deleting', 'Being deleted'), ('deleted', 'Deleted')], default='building', max_length=50, protected=True, verbose_name='state')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='created')),
                ('deleted_at', models.DateTimeField(blank=True, null=True)),
                ('creator', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='created_unions', to='unions.organization')),
                ('platform', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='unions', to='platforms.platform')),
            ],
            options={
                'ordering': ['name'],
            },
            bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
        ),
        migrations.AddField(
            model_name='proposal',
            name='union',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='proposals', to='unions.union'),
        ),
        migrations.CreateModel(
            name='Drift',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('network_missing', 'The network is gone from the platform'), ('network_unknown', 'A network that no union here has'), ('member_missing', 'A member is not in the network'), ('member_unknown', 'The network has a member that the union does not have'), ('chain_missing', 'A chain is gone from the platform'), ('chain_unknown', 'The network has a chain that is not recorded'), ('node_missing', 'A node is gone from the platform'), ('node_unknown', 'The chain has a node that is not recorded'), ('node_changed', 'A node is not as it is recorded')], max_length=30, verbose_name='kind')),
                ('key', models.CharField(max_length=500)),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('ours', models.JSONField(blank=True, default=dict)),
                ('theirs', models.JSONField(blank=True, default=dict)),
                ('state', django_fsm.FSMField(choices=[('open', 'Open'), ('mending', 'Being mended'), ('ignored', 'Ignored'), ('settled', 'Settled')], default='open', max_length=50, protected=True, verbose_name='state')),
                ('found_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='found')),
                ('seen_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='last seen')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended')),
                ('way', models.CharField(blank=True, max_length=30)),
                ('reason', models.TextField(blank=True, verbose_name='reason')),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('platform', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='drifts', to='platforms.platform')),
                ('organization', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='drifts', to='unions.organization')),
                ('proposal', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='unions.proposal')),
                ('union', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='drifts', to='unions.union')),
            ],
            options={
                'ordering': ['-found_at', '-id'],
            },
            bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
        ),
        migrations.CreateModel(
            name='UnionMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('member_id', models.CharField(blank=True, max_length=200)),
                ('state', django_fsm.FSMField(choices=[('joining', 'Joining'), ('active', 'Active'), ('quitting', 'Quitting'), ('left', 'Left')], default='active', max_length=50, protected=True, verbose_name='state')),
                ('joined_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='joined')),
                ('left_at', models.DateTimeField(blank=True, null=True, verbose_name='left')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='union_members', to='unions.organization')),
                ('union', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='members', to='unions.union')),
            ],
            options={
                'ordering': ['joined_at', 'id'],
            },
            bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
        ),
        migrations.AddField(
            model_name='union',
            name='organizations',
            field=models.ManyToManyField(related_name='unions', through='unions.UnionMember', to='unions.organization'),
        ),
        migrations.CreateModel(
            name='Vote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('agree', models.BooleanField()),
                ('comment', models.TextField(blank=True)),
                ('cast_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('cast_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='unions.organization')),
                ('proposal', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='votes', to='unions.proposal')),
            ],
            options={
                'ordering': ['cast_at', 'id'],
            },
        ),
        migrations.AddConstraint(
            model_name='organization',
            constraint=models.CheckConstraint(condition=models.Q(('category__in', ['cloud', 'on_prem'])), name='organization_category_known'),
        ),
        migrations.AddConstraint(
            model_name='organization',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['registered', 'closed', 'placeholder'])), name='organization_state_known'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.UniqueConstraint(fields=('user', 'organization'), name='membership_once'),
        ),
        migrations.AddConstraint(
            model_name='elector',
            constraint=models.UniqueConstraint(fields=('proposal', 'organization'), name='elector_once'),
        ),
        migrations.AddConstraint(
            model_name='registration',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('name_key',), name='registration_one_pending_per_name'),
        ),
        migrations.AddConstraint(
            model_name='registration',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending'), models.Q(('tenantid', ''), _negated=True)), fields=('platform', 'tenantid'), name='registration_one_pending_per_tenant'),
        ),
        migrations.AddConstraint(
            model_name='registration',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'approved', 'refused'])), name='registration_state_known'),
        ),
        migrations.AddConstraint(
            model_name='resourcespace',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'tenant')), fields=('platform', 'tenantid'), name='tenant_space_bound_once'),
        ),
        migrations.AddConstraint(
            model_name='resourcespace',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'found'), models.Q(('tenantid', ''), _negated=True)), fields=('platform', 'tenantid'), name='placeholder_once_per_tenant'),
        ),
        migrations.AddConstraint(
            model_name='resourcespace',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'tenant'), models.Q(('tenantid', ''), _negated=True)), models.Q(('kind', 'physical'), ('projectid', ''), ('projectname', ''), ('tenantid', ''), ('tenantname', '')), models.Q(('kind', 'found'), ('platform__isnull', False)), models.Q(('kind', 'released'), ('platform__isnull', True), ('projectid', ''), ('tenantid', ''), ('tenantname', '')), _connector='OR'), name='space_shape'),
        ),
        migrations.AddConstraint(
            model_name='reservation',
            constraint=models.UniqueConstraint(fields=('flow', 'space'), name='reservation_once_per_flow_and_space'),
        ),
        migrations.AddConstraint(
            model_name='machine',
            constraint=models.UniqueConstraint(fields=('ip', 'port'), name='machine_bound_once'),
        ),
        migrations.AddConstraint(
            model_name='machine',
            constraint=models.CheckConstraint(condition=models.Q(('port__gte', 1), ('port__lte', 65535)), name='machine_port_range'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('subject_key',), name='one_open_proposal_per_subject'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'carried', 'refused', 'withdrawn', 'expired'])), name='proposal_state_known'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('rule', 'threshold'), ('threshold__gte', 1), ('threshold__lte', 100)), models.Q(models.Q(('rule', 'threshold'), _negated=True), ('rule__in', ['everyone', 'majority', 'threshold']), ('threshold', None)), _connector='OR'), name='proposal_rule_whole'),
        ),
        migrations.AddConstraint(
            model_name='drift',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'settled'), _negated=True), fields=('platform', 'kind', 'key'), name='drift_standing_once'),
        ),
        migrations.AddConstraint(
            model_name='drift',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['network_missing', 'network_unknown', 'member_missing', 'member_unknown', 'chain_missing', 'chain_unknown', 'node_missing', 'node_unknown', 'node_changed'])), name='drift_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='drift',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'mending', 'ignored', 'settled'])), name='drift_state_known'),
        ),
        migrations.AddConstraint(
            model_name='drift',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('state', 'settled')), models.Q(models.Q(('state', 'settled'), _negated=True), ('ended_at', None)), _connector='OR'), name='drift_ended_when_settled'),
        ),
        migrations.AddConstraint(
            model_name='unionmember',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'left'), _negated=True), fields=('union', 'organization'), name='union_member_once'),
        ),
        migrations.AddConstraint(
            model_name='unionmember',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['joining', 'active', 'quitting', 'left'])), name='union_member_state_known'),
        ),
        migrations.AddConstraint(
            model_name='union',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'deleted'), _negated=True), fields=('platform', 'name_key'), name='union_name_once'),
        ),
        migrations.AddConstraint(
            model_name='union',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'deleted'), _negated=True), fields=('platform', 'network_id'), name='union_network_once'),
        ),
        migrations.AddConstraint(
            model_name='union',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['building', 'active', 'deleting', 'deleted'])), name='union_state_known'),
        ),
        migrations.AddConstraint(
            model_name='union',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('rule', 'threshold'), ('threshold__gte', 1), ('threshold__lte', 100)), models.Q(models.Q(('rule', 'threshold'), _negated=True), ('rule__in', ['everyone', 'majority', 'threshold']), ('threshold', None)), _connector='OR'), name='union_rule_whole'),
        ),
        migrations.AddConstraint(
            model_name='vote',
            constraint=models.UniqueConstraint(fields=('proposal', 'organization'), name='vote_once'),
        ),
    ]
