namespace Rpat.Models;

/// <summary>
/// Cross-covariance image transformer (El-Nouby et al., 2021): a convolutional stem that makes 4×4 patches (16×16 of images of 128 pixels
/// and more), blocks of attention between channels, 3×3 depthwise convolutions and a two-layer network, then two blocks of attention to a
/// class token. Names are those of timm; for evaluation and attacks. Rows are <c>[N·T, D]</c>: T tokens of an image after each other.
/// </summary>
public sealed class Xcit : FeatureClassifier
{
    private const int ClassBlocks = 2, PositionChannels = 64, LargeImage = 128;

    private readonly int _width, _heads;
    private readonly List<ConvNorm> _patches = [];
    private readonly Conv2d _position;
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
        _position = Declare("pos_embed.token_projection", new Conv2d(PositionChannels, _width, 1));
        for (int i = 0; i < spec.Blocks; i++) _blocks.Add(new Block(this, $"blocks.{i}"));
        for (int i = 0; i < ClassBlocks; i++) _classBlocks.Add(new ClassBlock(this, $"cls_attn_blocks.{i}"));
        _norm = Norm("norm");
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
        Tensor rows = Transformer.Rows(tape, tape.Add(h, _position.Record(tape, Positions(tape, map), bn)));
        foreach (Block block in _blocks) rows = block.Record(tape, rows, map, bn);
        Tensor tokens = tape.Reshape(rows, new Shape(map.N, map.Area, 1, _width));
        tokens = tape.Concat(Transformer.ClassTokens(tape, _classToken, map.N), tokens);
        foreach (ClassBlock block in _classBlocks) tokens = block.Record(tape, tokens, bn);
        return _norm.Record(tape, tape.Reshape(tape.Slice(tokens, channels: ..1), new Shape(map.N, _width)), bn);
    }

    /// <summary>Sines and cosines of rows and columns, <c>[N, 64, H, W]</c>.</summary>
    private static Tensor Positions(Tape tape, Shape map)
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
        return tape.Constant(map with { C = PositionChannels }, values, "positions");
    }

    private Parameter Scale(string name) => DeclareParameter(name, Init.Zero, new Shape(1, _width), _width);

    private LayerNorm Norm(string name) => Declare(name, new LayerNorm(_width, Transformer.Epsilon));

    private Linear Dense(string name, int outputs) => Declare(name, new Linear(_width, outputs));

    private Conv2d Depthwise(string name) => Declare(name, new Conv2d(_width, _width, 3, padding: 1, groups: _width));

    private TwoLayers Mlp(string name) => Declare(name, new TwoLayers(_width));

    /// <summary>x += γ₁·attention(LN(x)); x += γ₃·local(LN(x)); x += γ₂·mlp(LN(x)).</summary>
    private sealed class Block
    {
        private readonly Parameter _gamma1, _gamma2, _gamma3;
        private readonly LayerNorm _norm1, _norm2, _norm3;
        private readonly ChannelAttention _attention;
        private readonly LocalPatch _local;
        private readonly TwoLayers _mlp;

        public Block(Xcit net, string name)
        {
            (_gamma1, _gamma3, _gamma2) = (net.Scale($"{name}.gamma1"), net.Scale($"{name}.gamma3"), net.Scale($"{name}.gamma2"));
            (_norm1, _attention) = (net.Norm($"{name}.norm1"), new(net, $"{name}.attn"));
            (_norm3, _local) = (net.Norm($"{name}.norm3"), new(net, $"{name}.local_mp"));
            (_norm2, _mlp) = (net.Norm($"{name}.norm2"), net.Mlp($"{name}.mlp"));
        }

        public Tensor Record(Tape tape, Tensor x, Shape map, BnMode bn)
        {
            x = tape.Add(x, tape.Multiply(_attention.Record(tape, _norm1.Record(tape, x, bn), map, bn), _gamma1));
            x = tape.Add(x, tape.Multiply(_local.Record(tape, _norm3.Record(tape, x, bn), map, bn), _gamma3));
            return tape.Add(x, tape.Multiply(_mlp.Record(tape, _norm2.Record(tape, x, bn), bn), _gamma2));
        }
    }

    /// <summary>softmax(τ·q̂·k̂ᵀ)·v for each head, where a row is a channel's values of all tokens, with length 1 in q̂ and k̂.</summary>
    private sealed class ChannelAttention(Xcit net, string name)
    {
        private readonly Parameter _temperature = net.DeclareOnes($"{name}.temperature", net._heads, 1, 1);
        private readonly Linear _qkv = net.Dense($"{name}.qkv", 3 * net._width);
        private readonly Linear _proj = net.Dense($"{name}.proj", net._width);

        public Tensor Record(Tape tape, Tensor rows, Shape map, BnMode bn)
        {
            int heads = net._heads, channels = net._width / heads;
            Shape split = new(map.N, map.Area, 3 * heads, channels);
            Tensor all = tape.Permute(tape.Reshape(_qkv.Record(tape, rows, bn), split), 0, 2, 3, 1);
            Tensor q = tape.UnitRows(tape.Slice(all, channels: ..heads)), k = tape.UnitRows(tape.Slice(all, channels: heads..(2 * heads)));
            Tensor scores = tape.Multiply(tape.MatMul(q, k, transposeB: true), _temperature);
            Tensor mixed = tape.MatMul(tape.Softmax(scores), tape.Slice(all, channels: (2 * heads)..));
            return _proj.Record(tape, tape.Reshape(tape.Permute(mixed, 0, 3, 1, 2), rows.Shape), bn);
        }
    }

    /// <summary>Two 3×3 depthwise convolutions with bias, GELU and batch norm between.</summary>
    private sealed class LocalPatch(Xcit net, string name)
    {
        private readonly Conv2d _conv1 = net.Depthwise($"{name}.conv1"), _conv2 = net.Depthwise($"{name}.conv2");
        private readonly BatchNorm2d _norm = net.DeclareBatchNorm($"{name}.bn", net._width);

        public Tensor Record(Tape tape, Tensor rows, Shape map, BnMode bn)
        {
            Tensor h = tape.Gelu(_conv1.Record(tape, Transformer.Map(tape, rows, map), bn));
            return Transformer.Rows(tape, _conv2.Record(tape, tape.BatchNorm2d(h, _norm, bn), bn));
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
        private readonly Linear _q, _k, _v, _proj;
        private readonly TwoLayers _mlp;

        public ClassBlock(Xcit net, string name)
        {
            _net = net;
            (_gamma1, _gamma2, _norm1) = (net.Scale($"{name}.gamma1"), net.Scale($"{name}.gamma2"), net.Norm($"{name}.norm1"));
            Linear Square(string layer) => net.Dense($"{name}.attn.{layer}", net._width);
            (_q, _k, _v, _proj) = (Square("q"), Square("k"), Square("v"), Square("proj"));
            (_norm2, _mlp) = (net.Norm($"{name}.norm2"), net.Mlp($"{name}.mlp"));
        }

        public Tensor Record(Tape tape, Tensor tokens, BnMode bn)
        {
            Shape s = tokens.Shape, first = new(s.N, _net._width), all = new(s.N * s.C, _net._width);
            Tensor x = tape.Reshape(tokens, all), seen = _norm1.Record(tape, x, bn);
            Tensor attended = tape.Reshape(Attention(tape, seen, s, bn), s with { C = 1 });
            Tensor mixed = tape.Concat(attended, Others(tape, tape.Reshape(seen, s)));
            x = _norm2.Record(tape, tape.Add(x, tape.Multiply(tape.Reshape(mixed, all), _gamma1)), bn);
            Tensor split = tape.Reshape(x, s);
            Tensor own = tape.Multiply(_mlp.Record(tape, tape.Reshape(tape.Slice(split, channels: ..1), first), bn), _gamma2);
            return tape.Reshape(tape.Add(x, tape.Reshape(tape.Concat(tape.Reshape(own, s with { C = 1 }), Others(tape, split)), all)), s);
        }

        private static Tensor Others(Tape tape, Tensor tokens) => tape.Slice(tokens, channels: 1..);

        private Tensor Attention(Tape tape, Tensor seen, Shape s, BnMode bn)
        {
            Shape one = new(s.N, 1, _net._heads, _net._width / _net._heads), all = one with { C = s.C };
            Tensor Heads(Tensor rows, Shape split) => tape.Permute(tape.Reshape(rows, split), 0, 2, 1, 3);
            Tensor token = tape.Reshape(tape.Slice(tape.Reshape(seen, s), channels: ..1), new Shape(s.N, _net._width));
            Tensor q = tape.Multiply(Heads(_q.Record(tape, token, bn), one), 1 / Math.Sqrt(one.W));
            Tensor scores = tape.MatMul(q, Heads(_k.Record(tape, seen, bn), all), transposeB: true);
            Tensor mixed = tape.MatMul(tape.Softmax(scores), Heads(_v.Record(tape, seen, bn), all));
            return _proj.Record(tape, tape.Reshape(mixed, new Shape(s.N, _net._width)), bn);
        }
    }
}
