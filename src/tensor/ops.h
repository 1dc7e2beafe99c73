// Row operations between the matrix products: norms, activations, rotary embedding, quantizing to 8 bits. Each works on
// one token's row; callers spread rows over threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/tile_format.h"

namespace bothy {

// out = x / sqrt(mean(x^2) + epsilon) * weight (Zhang, Sennrich 2019). out may be x.
void RmsNorm(const float* x, const float* weight, float epsilon, float* out, size_t n);

// out = (x - mean(x)) / sqrt(variance(x) + epsilon) * weight + bias; bias may be null. out may be x.
void LayerNorm(const float* x, const float* weight, const float* bias, float epsilon, float* out, size_t n);

// x += y
void Add(float* x, const float* y, size_t n);

// out = silu(gate) * up, silu(x) = x / (1 + exp(-x)). out may be gate.
void SwiGlu(const float* gate, const float* up, float* out, size_t n);

// GELU with the tanh approximation, as GPT-2 has it ("gelu_new"); and with the error function.
void GeluTanh(float* x, size_t n);
void Gelu(float* x, size_t n);

// Rotates the pairs (x[i], x[i + half]) for i < half by the angles whose cosines and sines are given: the half-rotated
// form that Hugging Face's checkpoints are made for.
void RotateHalf(float* x, const float* cosines, const float* sines, size_t half);

// out = x as f16, rounded to nearest even. What f16 has no room for becomes its largest number, +-65504, not infinity.
void ToFiniteF16(const float* x, uint16_t* out, size_t n);

// x of n values (a multiple of 32) in blocks of 32: scale = max|x| / 127, q = round(x / scale).
void QuantizeActivations(const float* x, size_t n, ActivationBlock* out);

}  // namespace bothy
