"""The first tables"""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('account',
        sa.Column('name', sa.String(length=40), nullable=False),
        sa.Column('display_name', sa.String(length=80), nullable=False),
        sa.Column('roles', sa.JSON(), nullable=False),
        sa.Column('password_hash', sa.String(length=200), nullable=False),
        sa.Column('public_key', sa.LargeBinary(), nullable=True),
        sa.Column('sealed_key', sa.LargeBinary(), nullable=True),
        sa.Column('failed_attempts', sa.Integer(), nullable=False),
        sa.Column('locked_until', sa.DateTime(timezone=True), nullable=True),
        sa.Column('disabled_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('name', name=op.f('pk_account'))
    )
    op.create_table('alert_taken',
        sa.Column('key', sa.String(length=160), nullable=False),
        sa.Column('taken_by', sa.String(length=40), nullable=False),
        sa.Column('taken_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('note', sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint('key', name=op.f('pk_alert_taken'))
    )
    op.create_table('assignment',
        sa.Column('generation', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('scope', sa.String(length=16), nullable=False),
        sa.Column('scope_id', sa.String(length=48), nullable=False),
        sa.Column('bundle', sa.String(length=64), nullable=True),
        sa.Column('reason', sa.String(length=200), nullable=False),
        sa.Column('created_by', sa.String(length=40), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('generation', name=op.f('pk_assignment'))
    )
    op.create_index('ix_assignment_scope', 'assignment', ['scope', 'scope_id', 'generation'], unique=False)
    op.create_table('audit_entry',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('account', sa.String(length=40), nullable=False),
        sa.Column('action', sa.String(length=60), nullable=False),
        sa.Column('subject', sa.String(length=200), nullable=False),
        sa.Column('detail', sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entry'))
    )
    op.create_index(op.f('ix_audit_entry_account'), 'audit_entry', ['account'], unique=False)
    op.create_index(op.f('ix_audit_entry_at'), 'audit_entry', ['at'], unique=False)
    op.create_table('generation_counter',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('value', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_generation_counter'))
    )
    op.execute('INSERT INTO generation_counter (id, value) VALUES (1, 0)')
    op.create_table('journal_head',
        sa.Column('journal_id', sa.String(length=64), nullable=False),
        sa.Column('terminal', sa.String(length=48), nullable=False),
        sa.Column('head_sequence', sa.Integer(), nullable=False),
        sa.Column('head_hash', sa.String(length=64), nullable=False),
        sa.Column('stored_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('journal_id', name=op.f('pk_journal_head'))
    )
    op.create_index(op.f('ix_journal_head_terminal'), 'journal_head', ['terminal'], unique=False)
    op.create_table('journal_poison',
        sa.Column('journal_id', sa.String(length=64), nullable=False),
        sa.Column('sequence', sa.Integer(), nullable=False),
        sa.Column('reason', sa.String(length=200), nullable=False),
        sa.Column('noticed_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('journal_id', 'sequence', name=op.f('pk_journal_poison'))
    )
    op.create_table('journal_quarantine',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('journal_id', sa.String(length=64), nullable=False),
        sa.Column('terminal', sa.String(length=48), nullable=False),
        sa.Column('kind', sa.String(length=32), nullable=False),
        sa.Column('sequence', sa.Integer(), nullable=False),
        sa.Column('stored_hash', sa.String(length=64), nullable=False),
        sa.Column('received_hash', sa.String(length=64), nullable=False),
        sa.Column('content_sha256', sa.String(length=64), nullable=False),
        sa.Column('encoding', sa.String(length=16), nullable=False),
        sa.Column('content', sa.LargeBinary(), nullable=False),
        sa.Column('evidence', sa.JSON(), nullable=False),
        sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('settled_by', sa.String(length=40), nullable=True),
        sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_journal_quarantine'))
    )
    op.create_index(op.f('ix_journal_quarantine_content_sha256'), 'journal_quarantine', ['content_sha256'], unique=False)
    op.create_index(op.f('ix_journal_quarantine_journal_id'), 'journal_quarantine', ['journal_id'], unique=False)
    op.create_index(op.f('ix_journal_quarantine_received_at'), 'journal_quarantine', ['received_at'], unique=False)
    op.create_index(op.f('ix_journal_quarantine_terminal'), 'journal_quarantine', ['terminal'], unique=False)
    op.create_table('journal_transaction',
        sa.Column('journal_id', sa.String(length=64), nullable=False),
        sa.Column('number', sa.String(length=40), nullable=False),
        sa.Column('terminal', sa.String(length=48), nullable=False),
        sa.Column('matter', sa.String(length=48), nullable=False),
        sa.Column('version', sa.Integer(), nullable=True),
        sa.Column('bundle', sa.String(length=64), nullable=False),
        sa.Column('begun_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('first_sequence', sa.Integer(), nullable=False),
        sa.Column('last_sequence', sa.Integer(), nullable=False),
        sa.Column('disposition', sa.String(length=16), nullable=True),
        sa.Column('fault', sa.String(length=16), nullable=True),
        sa.Column('holder', sa.String(length=40), nullable=True),
        sa.Column('case_number', sa.String(length=80), nullable=True),
        sa.Column('rating', sa.Integer(), nullable=True),
        sa.Column('printed', sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint('journal_id', 'number', name=op.f('pk_journal_transaction'))
    )
    op.create_index(op.f('ix_journal_transaction_begun_at'), 'journal_transaction', ['begun_at'], unique=False)
    op.create_index(op.f('ix_journal_transaction_disposition'), 'journal_transaction', ['disposition'], unique=False)
    op.create_index(op.f('ix_journal_transaction_matter'), 'journal_transaction', ['matter'], unique=False)
    op.create_index(op.f('ix_journal_transaction_number'), 'journal_transaction', ['number'], unique=False)
    op.create_index(op.f('ix_journal_transaction_terminal'), 'journal_transaction', ['terminal'], unique=False)
    op.create_table('matter_draft',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('matter', sa.String(length=48), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('department', sa.String(length=48), nullable=False),
        sa.Column('title', sa.String(length=200), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('author', sa.String(length=40), nullable=False),
        sa.Column('state', sa.String(length=16), nullable=False),
        sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_matter_draft'))
    )
    op.create_index(op.f('ix_matter_draft_author'), 'matter_draft', ['author'], unique=False)
    op.create_index(op.f('ix_matter_draft_matter'), 'matter_draft', ['matter'], unique=False)
    op.create_index(op.f('ix_matter_draft_state'), 'matter_draft', ['state'], unique=False)
    op.create_table('site',
        sa.Column('id', sa.String(length=48), nullable=False),
        sa.Column('name', sa.String(length=120), nullable=False),
        sa.Column('address', sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_site'))
    )
    op.create_table('staff_session',
        sa.Column('id_hash', sa.String(length=64), nullable=False),
        sa.Column('account', sa.String(length=40), nullable=False),
        sa.Column('display_name', sa.String(length=80), nullable=False),
        sa.Column('roles', sa.JSON(), nullable=False),
        sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('id_hash', name=op.f('pk_staff_session'))
    )
    op.create_index(op.f('ix_staff_session_account'), 'staff_session', ['account'], unique=False)
    op.create_table('submission',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('state', sa.String(length=16), nullable=False),
        sa.Column('drafts', sa.JSON(), nullable=False),
        sa.Column('references', sa.JSON(), nullable=False),
        sa.Column('metadata_signed', sa.JSON(), nullable=False),
        sa.Column('contents', sa.JSON(), nullable=False),
        sa.Column('bundle', sa.String(length=64), nullable=False),
        sa.Column('scope', sa.String(length=16), nullable=False),
        sa.Column('scope_id', sa.String(length=48), nullable=False),
        sa.Column('author', sa.String(length=40), nullable=False),
        sa.Column('submitted_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('reviewer', sa.String(length=40), nullable=True),
        sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('comment', sa.String(length=500), nullable=False),
        sa.Column('generation', sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_submission'))
    )
    op.create_index(op.f('ix_submission_state'), 'submission', ['state'], unique=False)
    op.create_table('terminal_key',
        sa.Column('terminal', sa.String(length=64), nullable=False),
        sa.Column('public_key', sa.LargeBinary(), nullable=False),
        sa.Column('enrolled_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('terminal', name=op.f('pk_terminal_key'))
    )
    op.create_table('terminal_status',
        sa.Column('terminal', sa.String(length=48), nullable=False),
        sa.Column('heard_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('heartbeat', sa.JSON(), nullable=False),
        sa.Column('reported_since', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('terminal', name=op.f('pk_terminal_status'))
    )
    op.create_index(op.f('ix_terminal_status_heard_at'), 'terminal_status', ['heard_at'], unique=False)
    op.create_table('journal_segment',
        sa.Column('journal_id', sa.String(length=64), nullable=False),
        sa.Column('last_sequence', sa.Integer(), nullable=False),
        sa.Column('first_sequence', sa.Integer(), nullable=False),
        sa.Column('batch_first', sa.Integer(), nullable=False),
        sa.Column('head_hash', sa.String(length=64), nullable=False),
        sa.Column('encoding', sa.String(length=16), nullable=False),
        sa.Column('content', sa.LargeBinary(), nullable=False),
        sa.Column('evidence', sa.JSON(), nullable=False),
        sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['journal_id'], ['journal_head.journal_id'], name=op.f('fk_journal_segment_journal_id')),
        sa.PrimaryKeyConstraint('journal_id', 'last_sequence', name=op.f('pk_journal_segment'))
    )
    op.create_table('matter_version',
        sa.Column('matter', sa.String(length=48), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('title', sa.String(length=200), nullable=False),
        sa.Column('reference', sa.JSON(), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('submission', sa.Integer(), nullable=False),
        sa.Column('author', sa.String(length=40), nullable=False),
        sa.Column('reviewer', sa.String(length=40), nullable=False),
        sa.Column('published_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['submission'], ['submission.id'], name=op.f('fk_matter_version_submission')),
        sa.PrimaryKeyConstraint('matter', 'version', name=op.f('pk_matter_version'))
    )
    op.create_table('published_bundle',
        sa.Column('hash', sa.String(length=64), nullable=False),
        sa.Column('contract_version', sa.Integer(), nullable=False),
        sa.Column('step_kinds', sa.JSON(), nullable=False),
        sa.Column('matters', sa.JSON(), nullable=False),
        sa.Column('submission', sa.Integer(), nullable=False),
        sa.Column('published_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['submission'], ['submission.id'], name=op.f('fk_published_bundle_submission')),
        sa.PrimaryKeyConstraint('hash', name=op.f('pk_published_bundle'))
    )
    op.create_table('terminal',
        sa.Column('id', sa.String(length=48), nullable=False),
        sa.Column('site', sa.String(length=48), nullable=False),
        sa.Column('group', sa.String(length=48), nullable=True),
        sa.Column('ring', sa.String(length=48), nullable=True),
        sa.Column('machine', sa.String(length=80), nullable=False),
        sa.Column('moved_generation', sa.Integer(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['site'], ['site.id'], name=op.f('fk_terminal_site')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_terminal'))
    )
    op.create_index(op.f('ix_terminal_group'), 'terminal', ['group'], unique=False)
    op.create_index(op.f('ix_terminal_ring'), 'terminal', ['ring'], unique=False)
    op.create_index(op.f('ix_terminal_site'), 'terminal', ['site'], unique=False)
    op.create_table('enrolment_code',
        sa.Column('code_hash', sa.String(length=64), nullable=False),
        sa.Column('terminal', sa.String(length=48), nullable=False),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('created_by', sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(['terminal'], ['terminal.id'], name=op.f('fk_enrolment_code_terminal')),
        sa.PrimaryKeyConstraint('code_hash', name=op.f('pk_enrolment_code'))
    )
    op.create_index(op.f('ix_enrolment_code_terminal'), 'enrolment_code', ['terminal'], unique=False)


def downgrade() -> None:
    op.drop_table('enrolment_code')
    op.drop_table('terminal')
    op.drop_table('published_bundle')
    op.drop_table('matter_version')
    op.drop_table('journal_segment')
    op.drop_table('terminal_status')
    op.drop_table('terminal_key')
    op.drop_table('submission')
    op.drop_table('staff_session')
    op.drop_table('site')
    op.drop_table('matter_draft')
    op.drop_table('journal_transaction')
    op.drop_table('journal_quarantine')
    op.drop_table('journal_poison')
    op.drop_table('journal_head')
    op.drop_table('generation_counter')
    op.drop_table('audit_entry')
    op.drop_table('assignment')
    op.drop_table('alert_taken')
    op.drop_table('account')
