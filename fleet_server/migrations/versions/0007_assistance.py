"""Remote helpers: calls, and what was said while one goes on"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('help_call',
        sa.Column('id', sa.String(length=32), nullable=False),
        sa.Column('terminal', sa.String(length=64), nullable=False),
        sa.Column('mode', sa.String(length=10), nullable=False),
        sa.Column('language', sa.String(length=8), nullable=False),
        sa.Column('description', sa.JSON(), nullable=False),
        sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('heard_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('heard', sa.Integer(), nullable=False),
        sa.Column('taken_by', sa.String(length=40), nullable=False),
        sa.Column('taken_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('messages', sa.Integer(), nullable=False),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('ending', sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_help_call'))
    )
    with op.batch_alter_table('help_call', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_help_call_terminal'), ['terminal'], unique=False)
        batch_op.create_index(batch_op.f('ix_help_call_ended_at'), ['ended_at'], unique=False)
    op.create_table('help_message',
        sa.Column('call', sa.String(length=32), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('text', sa.JSON(), nullable=True),
        sa.Column('is_ready', sa.Boolean(), nullable=False),
        sa.Column('point', sa.String(length=100), nullable=False),
        sa.Column('screen', sa.Integer(), nullable=False),
        sa.Column('sent_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('call', 'number', name=op.f('pk_help_message'))
    )


def downgrade() -> None:
    op.drop_table('help_message')
    with op.batch_alter_table('help_call', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_help_call_ended_at'))
        batch_op.drop_index(batch_op.f('ix_help_call_terminal'))
    op.drop_table('help_call')
