"""Hand-over to the citizen's phone: slips, and what came for them"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('handover_slip',
        sa.Column('id', sa.String(length=32), nullable=False),
        sa.Column('terminal', sa.String(length=64), nullable=False),
        sa.Column('transaction_number', sa.String(length=40), nullable=False),
        sa.Column('step', sa.String(length=96), nullable=False),
        sa.Column('material', sa.JSON(), nullable=False),
        sa.Column('photos', sa.Integer(), nullable=False),
        sa.Column('text', sa.Integer(), nullable=False),
        sa.Column('phone', sa.String(length=64), nullable=False),
        sa.Column('seen_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('uploads', sa.Integer(), nullable=False),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_handover_slip'))
    )
    with op.batch_alter_table('handover_slip', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_handover_slip_terminal'), ['terminal'], unique=False)
        batch_op.create_index(batch_op.f('ix_handover_slip_expires_at'), ['expires_at'], unique=False)
    op.create_table('handover_piece',
        sa.Column('slip', sa.String(length=32), nullable=False),
        sa.Column('place', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=8), nullable=False),
        sa.Column('sealed', sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(['slip'], ['handover_slip.id'], name=op.f('fk_handover_piece_slip_handover_slip'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('slip', 'place', name=op.f('pk_handover_piece'))
    )


def downgrade() -> None:
    op.drop_table('handover_piece')
    with op.batch_alter_table('handover_slip', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_handover_slip_expires_at'))
        batch_op.drop_index(batch_op.f('ix_handover_slip_terminal'))
    op.drop_table('handover_slip')
