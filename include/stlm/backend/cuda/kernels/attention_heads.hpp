// Where the vectors of a head lie, and which of them a block of threads has.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/ops/attention.hpp>

namespace stlm::gpu {

/// HeadsView for kernels: number c of vector (b, t, h) is at(b, t, h) + c.
template <class T>
struct HeadRows {
  Span<T> numbers;
  Index batch_stride;
  int token_stride, head_size;
  bool packets;  ///< every vector begins at a multiple of 16 bytes and consists of whole packets

  HeadRows(HeadsView<T> x, Index batch, Index tokens)
      : numbers(x.data, batch * tokens > 0
                            ? (batch - 1) * x.batch_stride + (tokens - 1) * x.token_stride + x.heads * x.head_size
                            : 0),
        batch_stride(x.batch_stride),
        token_stride(static_cast<int>(x.token_stride)),
        head_size(static_cast<int>(x.head_size)),
        packets(in_packets(x.data, x.head_size, x.token_stride) && x.batch_stride % Packet<T>::size == 0) {}

  STLM_KERNEL Index at(int b, int t, int h) const {
    return b * batch_stride + static_cast<Index>(t) * token_stride + h * head_size;
  }
};

/// What a block of threads computes: a piece of the columns, a tile of rows, a head, a sequence. Blocks begin with the last
/// tile, whose rows read the most keys if causal.
struct AttentionBlock {
  int piece, first, head, sequence;
  STLM_KERNEL AttentionBlock(Index block, int pieces_of_head, int rows, int tile, int heads) {
    const int tiles = (rows + tile - 1) / tile,
              of_pieces = static_cast<int>(block) / pieces_of_head;  // 32 bits: fast
    const int of_tiles = of_pieces / tiles;
    piece = static_cast<int>(block) - of_pieces * pieces_of_head;
    first = (tiles - 1 - (of_pieces - of_tiles * tiles)) * tile;
    sequence = of_tiles / heads;
    head = of_tiles - sequence * heads;
  }
};

}  // namespace stlm::gpu
