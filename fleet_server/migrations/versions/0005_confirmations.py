"""Clerks of the shops, and what they vouched for with a second person"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('clerk',
        sa.Column('number', sa.String(length=8), nullable=False),
        sa.Column('site', sa.String(length=48), nullable=False),
        sa.Column('display_name', sa.String(length=80), nullable=False),
        sa.Column('account', sa.String(length=40), nullable=True),
        sa.Column('pin_hash', sa.String(length=200), nullable=False),
        sa.Column('failed_attempts', sa.Integer(), nullable=False),
        sa.Column('locked_until', sa.DateTime(timezone=True), nullable=True),
        sa.Column('disabled_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['account'], ['account.name'], name=op.f('fk_clerk_account')),
        sa.ForeignKeyConstraint(['site'], ['site.id'], name=op.f('fk_clerk_site')),
        sa.PrimaryKeyConstraint('number', name=op.f('pk_clerk'))
    )
    with op.batch_alter_table('clerk', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_clerk_site'), ['site'], unique=False)
    op.create_table('confirmation',
        sa.Column('id', sa.String(length=32), nullable=False),
        sa.Column('terminal', sa.String(length=48), nullable=False),
        sa.Column('transaction_number', sa.String(length=40), nullable=False),
        sa.Column('matter', sa.String(length=48), nullable=False),
        sa.Column('holder', sa.String(length=60), nullable=False),
        sa.Column('first_clerk', sa.String(length=8), nullable=False),
        sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('state', sa.String(length=12), nullable=False),
        sa.Column('second', sa.String(length=40), nullable=False),
        sa.Column('second_is', sa.String(length=8), nullable=False),
        sa.Column('reason', sa.String(length=24), nullable=False),
        sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_confirmation'))
    )
    with op.batch_alter_table('confirmation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_confirmation_asked_at'), ['asked_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_confirmation_terminal'), ['terminal'], unique=False)


def downgrade() -> None:
    op.drop_table('confirmation')
    op.drop_table('clerk')
