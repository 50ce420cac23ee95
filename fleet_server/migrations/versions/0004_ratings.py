"""Ratings: when and why, and what became of bad ones"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('rating_answer',
        sa.Column('journal_id', sa.String(length=64), nullable=False),
        sa.Column('number', sa.String(length=40), nullable=False),
        sa.Column('outcome', sa.String(length=16), nullable=False),
        sa.Column('note', sa.String(length=500), nullable=False),
        sa.Column('answered_by', sa.String(length=40), nullable=False),
        sa.Column('answered_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('journal_id', 'number', name=op.f('pk_rating_answer'))
    )
    with op.batch_alter_table('journal_transaction', schema=None) as batch_op:
        batch_op.add_column(sa.Column('rated_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('rating_reasons', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.create_index(batch_op.f('ix_journal_transaction_rating'), ['rating'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('journal_transaction', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_journal_transaction_rating'))
        batch_op.drop_column('rating_reasons')
        batch_op.drop_column('rated_at')
    op.drop_table('rating_answer')
