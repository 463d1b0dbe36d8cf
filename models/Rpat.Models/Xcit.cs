namespace Rpat.Models;

/// <summary>
/// Cross-covariance image transformer (El-Nouby et al., 2021): a convolutional stem that makes 4×4 patches (16×16 of images of 128 pixels
/// and more), blocks of attention between channels, 3×3 depthwise convolutions and a two-layer network, then two blocks of attention to a
/// class token. Names are those of timm; for evaluation and attacks. Rows are <c>[N·T, D]</c>: T tokens of an image after each other.
/// </summary>
public sealed class Xcit : FeatureClassifier
{
    private const int ClassBlocks = 2, PositionChannels = 64, LargeImage = 128;
    private const double Epsilon = 1e-6; // of layer norms

    private readonly int _width, _heads;
    private readonly List<ConvNorm> _patches = [];
    private readonly (Parameter Weight, Parameter Bias) _position;
    private readonly Parameter _classToken;
    private readonly List<Block> _blocks = [];
    private readonly List<ClassBlock> _classBlocks = [];
    private readonly LayerNorm _norm;

    internal Xcit(Device device, ModelSpec spec, ulong seed) : base(device, spec.Input, spec.Classes, spec.Normalization)
    {
        (_width, _heads) = (spec.Width, Transformer.HeadsOf(spec));
        _classToken = DeclareParameter("cls_token", Init.Zero, new Shape(1, _width), 1, 1, _width);
        int channels = spec.Input.C;
        for (int i = 0; i < 4; i++)
        {
            int outputs = Math.Max(1, _width >> (3 - i));
            int stride = i < 2 && Math.Min(spec.Input.H, spec.Input.W) < LargeImage ? 1 : 2;
            _patches.Add(new ConvNorm(this, $"patch_embed.proj.{2 * i}.0", $"patch_embed.proj.{2 * i}.1", outputs, channels, 3, stride));
            channels = outputs;
        }
        _position = (DeclareConv("pos_embed.token_projection", _width, PositionChannels, 1),
            DeclareBias("pos_embed.token_projection", _width, PositionChannels));
        for (int i = 0; i < spec.Blocks; i++) _blocks.Add(new Block(this, $"blocks.{i}"));
        for (int i = 0; i < ClassBlocks; i++) _classBlocks.Add(new ClassBlock(this, $"cls_attn_blocks.{i}"));
        _norm = new LayerNorm(this, "norm");
        DeclareHead("head", _width);
        Build(seed);
    }

    /// <summary>The specification with the sizes that weights show.</summary>
    internal static ModelSpec Fit(ModelSpec spec, IReadOnlyDictionary<string, long[]> shapes)
    {
        if (!shapes.TryGetValue("blocks.0.attn.temperature", out long[]? heads) || heads is not [> 0 and < 1024, ..]
            || !shapes.TryGetValue("norm.weight", out long[]? width) || width is not [> 0 and < 16384]) return spec;
        return spec with { Width = (int)width[0], Blocks = NetSizes.BlocksIn(shapes.Keys, "blocks."), Heads = (int)heads[0] };
    }

    /// <inheritdoc/>
    protected override Tensor RecordFeatures(Tape tape, Tensor x, BnMode bn)
    {
        Tensor h = x;
        foreach (ConvNorm layer in _patches)
        {
            h = layer.Record(tape, h, bn, relu: false);
            if (layer != _patches[^1]) h = tape.Gelu(h);
        }
        Shape map = h.Shape;
        h = tape.ChannelBias(tape.Conv2d(Positions(map), _position.Weight, residual: h), _position.Bias);
        Tensor rows = Transformer.Rows(tape, h);
        foreach (Block block in _blocks) rows = block.Record(tape, rows, map, bn);
        Tensor tokens = tape.Reshape(rows, new Shape(map.N, map.Area, 1, _width));
        tokens = tape.Concat(Transformer.ClassTokens(tape, _classToken, map.N), tokens);
        foreach (ClassBlock block in _classBlocks) tokens = block.Record(tape, tokens);
        return _norm.Record(tape, tape.Reshape(tape.Slice(tokens, channels: ..1), new Shape(map.N, _width)));
    }

    /// <summary>Sines and cosines of rows and columns, <c>[N, 64, H, W]</c>.</summary>
    private Tensor Positions(Shape map)
    {
        const int half = PositionChannels / 2;
        var values = new float[map.N * PositionChannels * map.Area];
        for (int i = 0; i < values.Length; i++)
        {
            int channel = i / map.Area % PositionChannels, pixel = i % map.Area;
            bool isRow = channel < half;
            var (at, count) = isRow ? (pixel / map.W, map.H) : (pixel % map.W, map.W);
            double angle = 2 * Math.PI * (at + 1) / (count + 1e-6) / Math.Pow(10000, 2.0 * (channel % half / 2) / half);
            values[i] = (float)(channel % 2 == 0 ? Math.Sin(angle) : Math.Cos(angle));
        }
        return Tensor.From(Device, map with { C = PositionChannels }, values);
    }

    private Parameter Scale(string name) => DeclareParameter(name, Init.Zero, new Shape(1, _width), _width);

    private sealed class LayerNorm(Xcit net, string name)
    {
        private readonly Parameter _weight = net.DeclareOnes($"{name}.weight", net._width), _bias = net.Scale($"{name}.bias");

        public Tensor Record(Tape tape, Tensor rows) => tape.LayerNorm(rows, _weight, _bias, Epsilon);
    }

    private sealed class Dense(Xcit net, string name, int outputs, int inputs)
    {
        private readonly (Parameter Weight, Parameter Bias) _layer = net.DeclareLinear(name, outputs, inputs);

        public Tensor Record(Tape tape, Tensor rows) => tape.Linear(rows, _layer.Weight, _layer.Bias);
    }

    /// <summary>Two layers with four times the width and GELU between.</summary>
    private sealed class Mlp(Xcit net, string name)
    {
        private readonly Dense _first = new(net, $"{name}.fc1", 4 * net._width, net._width),
            _second = new(net, $"{name}.fc2", net._width, 4 * net._width);

        public Tensor Record(Tape tape, Tensor rows) => _second.Record(tape, tape.Gelu(_first.Record(tape, rows)));
    }

    /// <summary>x += γ₁·attention(LN(x)); x += γ₃·local(LN(x)); x += γ₂·mlp(LN(x)).</summary>
    private sealed class Block
    {
        private readonly Parameter _gamma1, _gamma2, _gamma3;
        private readonly LayerNorm _norm1, _norm2, _norm3;
        private readonly ChannelAttention _attention;
        private readonly LocalPatch _local;
        private readonly Mlp _mlp;

        public Block(Xcit net, string name)
        {
            (_gamma1, _gamma3, _gamma2) = (net.Scale($"{name}.gamma1"), net.Scale($"{name}.gamma3"), net.Scale($"{name}.gamma2"));
            (_norm1, _attention) = (new(net, $"{name}.norm1"), new(net, $"{name}.attn"));
            (_norm3, _local) = (new(net, $"{name}.norm3"), new(net, $"{name}.local_mp"));
            (_norm2, _mlp) = (new(net, $"{name}.norm2"), new(net, $"{name}.mlp"));
        }

        public Tensor Record(Tape tape, Tensor x, Shape map, BnMode bn)
        {
            x = tape.Add(x, tape.Multiply(_attention.Record(tape, _norm1.Record(tape, x), map), _gamma1));
            x = tape.Add(x, tape.Multiply(_local.Record(tape, _norm3.Record(tape, x), map, bn), _gamma3));
            return tape.Add(x, tape.Multiply(_mlp.Record(tape, _norm2.Record(tape, x)), _gamma2));
        }
    }

    /// <summary>softmax(τ·q̂·k̂ᵀ)·v for each head, where a row is a channel's values of all tokens, with length 1 in q̂ and k̂.</summary>
    private sealed class ChannelAttention(Xcit net, string name)
    {
        private readonly Parameter _temperature = net.DeclareOnes($"{name}.temperature", net._heads, 1, 1);
        private readonly Dense _qkv = new(net, $"{name}.qkv", 3 * net._width, net._width);
        private readonly Dense _proj = new(net, $"{name}.proj", net._width, net._width);

        public Tensor Record(Tape tape, Tensor rows, Shape map)
        {
            int heads = net._heads, channels = net._width / heads;
            Tensor all = tape.Permute(tape.Reshape(_qkv.Record(tape, rows), new Shape(map.N, map.Area, 3 * heads, channels)), 0, 2, 3, 1);
            Tensor q = tape.UnitRows(tape.Slice(all, channels: ..heads)), k = tape.UnitRows(tape.Slice(all, channels: heads..(2 * heads)));
            Tensor scores = tape.Multiply(tape.MatMul(q, k, transposeB: true), _temperature);
            Tensor mixed = tape.MatMul(tape.Softmax(scores), tape.Slice(all, channels: (2 * heads)..));
            return _proj.Record(tape, tape.Reshape(tape.Permute(mixed, 0, 3, 1, 2), rows.Shape));
        }
    }

    /// <summary>Two 3×3 depthwise convolutions with bias, GELU and batch norm between.</summary>
    private sealed class LocalPatch(Xcit net, string name)
    {
        private readonly Parameter _conv1 = net.DeclareConv($"{name}.conv1", net._width, 1, 3),
            _bias1 = net.DeclareBias($"{name}.conv1", net._width, 9);
        private readonly BatchNorm2d _norm = net.DeclareBatchNorm($"{name}.bn", net._width);
        private readonly Parameter _conv2 = net.DeclareConv($"{name}.conv2", net._width, 1, 3),
            _bias2 = net.DeclareBias($"{name}.conv2", net._width, 9);

        public Tensor Record(Tape tape, Tensor rows, Shape map, BnMode bn)
        {
            Tensor h = tape.Gelu(tape.ChannelBias(tape.DepthwiseConv2d(Map(tape, rows, map), _conv1, padding: 1), _bias1));
            h = tape.DepthwiseConv2d(tape.BatchNorm2d(h, _norm, bn), _conv2, padding: 1);
            return Transformer.Rows(tape, tape.ChannelBias(h, _bias2));
        }
    }

    /// <summary>
    /// Tokens <c>[N, 1 + T, 1, D]</c>: the class token attends to all, x += γ₁·(attention, the others' LN(x)); then x = LN(x), and x +=
    /// (γ₂·mlp(class token), the others).
    /// </summary>
    private sealed class ClassBlock
    {
        private readonly Xcit _net;
        private readonly Parameter _gamma1, _gamma2;
        private readonly LayerNorm _norm1, _norm2;
        private readonly Dense _q, _k, _v, _proj;
        private readonly Mlp _mlp;

        public ClassBlock(Xcit net, string name)
        {
            _net = net;
            (_gamma1, _gamma2, _norm1) = (net.Scale($"{name}.gamma1"), net.Scale($"{name}.gamma2"), new(net, $"{name}.norm1"));
            Dense Square(string layer) => new(net, $"{name}.attn.{layer}", net._width, net._width);
            (_q, _k, _v, _proj) = (Square("q"), Square("k"), Square("v"), Square("proj"));
            (_norm2, _mlp) = (new(net, $"{name}.norm2"), new(net, $"{name}.mlp"));
        }

        public Tensor Record(Tape tape, Tensor tokens)
        {
            Shape s = tokens.Shape, first = new(s.N, _net._width), all = new(s.N * s.C, _net._width);
            Tensor x = tape.Reshape(tokens, all), seen = _norm1.Record(tape, x);
            Tensor attended = tape.Reshape(Attention(tape, seen, s), s with { C = 1 });
            Tensor mixed = tape.Concat(attended, Others(tape, tape.Reshape(seen, s)));
            x = _norm2.Record(tape, tape.Add(x, tape.Multiply(tape.Reshape(mixed, all), _gamma1)));
            Tensor split = tape.Reshape(x, s);
            Tensor own = tape.Multiply(_mlp.Record(tape, tape.Reshape(tape.Slice(split, channels: ..1), first)), _gamma2);
            return tape.Reshape(tape.Add(x, tape.Reshape(tape.Concat(tape.Reshape(own, s with { C = 1 }), Others(tape, split)), all)), s);
        }

        private static Tensor Others(Tape tape, Tensor tokens) => tape.Slice(tokens, channels: 1..);

        private Tensor Attention(Tape tape, Tensor seen, Shape s)
        {
            Shape one = new(s.N, 1, _net._heads, _net._width / _net._heads), all = one with { C = s.C };
            Tensor Heads(Tensor rows, Shape split) => tape.Permute(tape.Reshape(rows, split), 0, 2, 1, 3);
            Tensor token = tape.Reshape(tape.Slice(tape.Reshape(seen, s), channels: ..1), new Shape(s.N, _net._width));
            Tensor q = tape.Multiply(Heads(_q.Record(tape, token), one), 1 / Math.Sqrt(one.W));
            Tensor scores = tape.MatMul(q, Heads(_k.Record(tape, seen), all), transposeB: true);
            Tensor mixed = tape.MatMul(tape.Softmax(scores), Heads(_v.Record(tape, seen), all));
            return _proj.Record(tape, tape.Reshape(mixed, new Shape(s.N, _net._width)));
        }
    }
}
