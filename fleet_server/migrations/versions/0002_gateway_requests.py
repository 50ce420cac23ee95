"""Gateway requests"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('gateway_request',
        sa.Column('terminal', sa.String(length=64), nullable=False),
        sa.Column('request_id', sa.String(length=64), nullable=False),
        sa.Column('operation', sa.String(length=80), nullable=False),
        sa.Column('transaction_number', sa.String(length=64), nullable=True),
        sa.Column('matter', sa.String(length=48), nullable=True),
        sa.Column('payload_mac', sa.String(length=64), nullable=False),
        sa.Column('outcome', sa.String(length=16), nullable=False),
        sa.Column('reason', sa.String(length=48), nullable=False),
        sa.Column('case_number', sa.String(length=64), nullable=True),
        sa.Column('document_id', sa.String(length=128), nullable=True),
        sa.Column('tries', sa.Integer(), nullable=False),
        sa.Column('first_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('last_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('terminal', 'request_id', name=op.f('pk_gateway_request'))
    )
    with op.batch_alter_table('gateway_request', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_gateway_request_document_id'), ['document_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_gateway_request_transaction_number'), ['transaction_number'], unique=False)


def downgrade() -> None:
    op.drop_table('gateway_request')
