"""Payments"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('payment_arrived',
        sa.Column('channel', sa.String(length=16), nullable=False),
        sa.Column('account', sa.String(length=40), nullable=False),
        sa.Column('reference', sa.String(length=64), nullable=False),
        sa.Column('order_number', sa.String(length=32), nullable=False),
        sa.Column('amount_fen', sa.BigInteger(), nullable=False),
        sa.Column('currency', sa.String(length=3), nullable=False),
        sa.Column('belongs', sa.Boolean(), nullable=False),
        sa.Column('heard_by', sa.String(length=16), nullable=False),
        sa.Column('paid_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('arrived_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('channel', 'account', 'reference', name=op.f('pk_payment_arrived'))
    )
    with op.batch_alter_table('payment_arrived', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_payment_arrived_order_number'), ['order_number'], unique=False)
        batch_op.create_index(batch_op.f('ix_payment_arrived_paid_at'), ['paid_at'], unique=False)

    op.create_table('payment_day',
        sa.Column('channel', sa.String(length=16), nullable=False),
        sa.Column('account', sa.String(length=40), nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.Column('compared_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('result', sa.String(length=16), nullable=False),
        sa.Column('file_sha256', sa.String(length=64), nullable=False),
        sa.Column('payments', sa.Integer(), nullable=False),
        sa.Column('paid_fen', sa.BigInteger(), nullable=False),
        sa.Column('refunds', sa.Integer(), nullable=False),
        sa.Column('refunded_fen', sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint('channel', 'account', 'day', name=op.f('pk_payment_day'))
    )
    op.create_table('payment_difference',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('channel', sa.String(length=16), nullable=False),
        sa.Column('account', sa.String(length=40), nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.Column('kind', sa.String(length=32), nullable=False),
        sa.Column('subject', sa.String(length=64), nullable=False),
        sa.Column('order_number', sa.String(length=64), nullable=False),
        sa.Column('ours_fen', sa.BigInteger(), nullable=True),
        sa.Column('theirs_fen', sa.BigInteger(), nullable=True),
        sa.Column('found_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('gone_at', sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_payment_difference')),
        sa.UniqueConstraint('channel', 'account', 'day', 'kind', 'subject', name=op.f('uq_payment_difference_channel_account_day_kind_subject'))
    )
    with op.batch_alter_table('payment_difference', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_payment_difference_day'), ['day'], unique=False)

    op.create_table('payment_order',
        sa.Column('number', sa.String(length=32), nullable=False),
        sa.Column('terminal', sa.String(length=64), nullable=False),
        sa.Column('order_id', sa.String(length=64), nullable=False),
        sa.Column('channel', sa.String(length=16), nullable=False),
        sa.Column('account', sa.String(length=40), nullable=False),
        sa.Column('method', sa.String(length=16), nullable=False),
        sa.Column('amount_fen', sa.BigInteger(), nullable=False),
        sa.Column('currency', sa.String(length=3), nullable=False),
        sa.Column('subject', sa.String(length=120), nullable=False),
        sa.Column('payee', sa.String(length=80), nullable=False),
        sa.Column('bill', sa.String(length=40), nullable=False),
        sa.Column('lines', sa.JSON(), nullable=False),
        sa.Column('matter', sa.String(length=48), nullable=False),
        sa.Column('transaction_number', sa.String(length=64), nullable=False),
        sa.Column('notify_url', sa.String(length=300), nullable=False),
        sa.Column('state', sa.String(length=16), nullable=False),
        sa.Column('reason', sa.String(length=48), nullable=False),
        sa.Column('qr', sa.String(length=1024), nullable=False),
        sa.Column('closing', sa.Boolean(), nullable=False),
        sa.Column('is_barred', sa.Boolean(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('delivery_seconds', sa.Integer(), nullable=False),
        sa.Column('paid_reference', sa.String(length=64), nullable=False),
        sa.Column('paid_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('delivery', sa.String(length=16), nullable=False),
        sa.Column('deliver_by', sa.DateTime(timezone=True), nullable=True),
        sa.Column('undelivered', sa.JSON(), nullable=False),
        sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('contested_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('look_at', sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('number', name=op.f('pk_payment_order')),
        sa.UniqueConstraint('terminal', 'order_id', name=op.f('uq_payment_order_terminal_order_id'))
    )
    with op.batch_alter_table('payment_order', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_payment_order_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_payment_order_look_at'), ['look_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_payment_order_transaction_number'), ['transaction_number'], unique=False)

    op.create_table('payment_refund',
        sa.Column('number', sa.String(length=32), nullable=False),
        sa.Column('order_number', sa.String(length=32), nullable=False),
        sa.Column('refund_id', sa.String(length=64), nullable=False),
        sa.Column('reference', sa.String(length=64), nullable=False),
        sa.Column('amount_fen', sa.BigInteger(), nullable=False),
        sa.Column('total_fen', sa.BigInteger(), nullable=False),
        sa.Column('currency', sa.String(length=3), nullable=False),
        sa.Column('why', sa.String(length=80), nullable=False),
        sa.Column('lines', sa.JSON(), nullable=False),
        sa.Column('by_centre', sa.Boolean(), nullable=False),
        sa.Column('state', sa.String(length=16), nullable=False),
        sa.Column('reason', sa.String(length=48), nullable=False),
        sa.Column('tries', sa.Integer(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('look_at', sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('number', name=op.f('pk_payment_refund')),
        sa.UniqueConstraint('order_number', 'refund_id', name=op.f('uq_payment_refund_order_number_refund_id'))
    )
    with op.batch_alter_table('payment_refund', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_payment_refund_done_at'), ['done_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_payment_refund_look_at'), ['look_at'], unique=False)



def downgrade() -> None:
    for name in ('payment_refund', 'payment_order', 'payment_difference', 'payment_day', 'payment_arrived'):
        op.drop_table(name)
