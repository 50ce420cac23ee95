"""Owed refunds that people gave back by hand"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('payment_refund_closing',
        sa.Column('refund', sa.String(length=32), nullable=False),
        sa.Column('way', sa.String(length=16), nullable=False),
        sa.Column('note', sa.String(length=300), nullable=False),
        sa.Column('written_by', sa.String(length=40), nullable=False),
        sa.Column('written_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('confirmed_by', sa.String(length=40), nullable=True),
        sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('refund', name=op.f('pk_payment_refund_closing'))
    )


def downgrade() -> None:
    op.drop_table('payment_refund_closing')
