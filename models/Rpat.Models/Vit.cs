namespace Rpat.Models;

/// <summary>
/// Vision transformer (Dosovitskiy et al., 2021): patches by one convolution, or by four strided ones (Singh et al., 2023), a class token,
/// trained positions, and blocks of attention and a two-layer network. Names are those of timm. Rows are <c>[N·T, D]</c>: T tokens of an
/// image after each other.
/// </summary>
public sealed class Vit : FeatureClassifier
{
    private const int StemPatch = 16, StemChannels = 48; // of the published convolutions

    private readonly int _width, _tokens;
    private readonly Layer _patches;
    private readonly Parameter _classToken, _positions;
    private readonly List<Block> _blocks = [];
    private readonly LayerNorm _norm;

    internal Vit(Device device, ModelSpec spec, bool convolves, ulong seed) : base(device, spec.Input, spec.Classes, spec.Normalization)
    {
        int patch = convolves ? StemPatch : spec.StemStride;
        ShapeException.Require(spec.Input.H % patch == 0 && spec.Input.W % patch == 0, "Vit",
            $"images of {spec.Input.H}×{spec.Input.W} do not divide into patches of {patch}×{patch}");
        (_width, _tokens) = (spec.Width, 1 + spec.Input.H / patch * (spec.Input.W / patch));
        _classToken = DeclareParameter("cls_token", Init.Zero, new Shape(1, _width), 1, 1, _width);
        _positions = DeclareParameter("pos_embed", Init.Zero, new Shape(1, _tokens * _width), 1, _tokens, _width);
        _patches = convolves ? Declare("patch_embed.proj.stem", Convolutions(spec.Input.C, _width))
            : Declare("patch_embed.proj", new Conv2d(spec.Input.C, _width, patch, patch));
        for (int i = 0; i < spec.Blocks; i++) _blocks.Add(Declare($"blocks.{i}", new Block(_width, Transformer.HeadsOf(spec), _tokens)));
        _norm = Declare("norm", new LayerNorm(_width, Transformer.Epsilon));
        DeclareHead("head", _width);
        Build(seed);
    }

    /// <summary>The specification with the sizes that weights show; of heads they show none, published networks have one per 64
    /// columns.</summary>
    internal static ModelSpec Fit(ModelSpec spec, IReadOnlyDictionary<string, long[]> shapes)
    {
        if (!shapes.TryGetValue("pos_embed", out long[]? at) || at is not [1, > 1 and < 1 << 16, > 0 and < 16384]) return spec;
        int patch = shapes.TryGetValue("patch_embed.proj.weight", out long[]? kernel) && kernel is [_, _, > 0 and <= 256, _]
            ? (int)kernel[2] : StemPatch;
        int width = (int)at[2], side = patch * (int)Math.Sqrt(at[1] - 1);
        return spec with { Width = width, Blocks = NetSizes.BlocksIn(shapes.Keys, "blocks."), Heads = Math.Max(1, width / 64) } with
        { StemStride = patch, Input = spec.Input with { H = side, W = side } };
    }

    /// <inheritdoc/>
    protected override Tensor RecordFeatures(Tape tape, Tensor x, BnMode bn)
    {
        int n = x.Shape.N;
        Tensor patches = tape.Reshape(Transformer.Rows(tape, _patches.Record(tape, x, bn)), new Shape(n, _tokens - 1, 1, _width));
        Tensor tokens = tape.Concat(Transformer.ClassTokens(tape, _classToken, n), patches);
        Tensor rows = tape.Reshape(tape.Add(tape.Reshape(tokens, new Shape(n, _tokens * _width)), _positions),
            new Shape(n * _tokens, _width));
        foreach (Block block in _blocks) rows = block.Record(tape, rows, bn);
        tokens = tape.Reshape(_norm.Record(tape, rows, bn), tokens.Shape);
        return tape.Reshape(tape.Slice(tokens, channels: ..1), new Shape(n, _width));
    }

    private static Sequential Convolutions(int channels, int width)
    {
        var layers = new List<Layer>();
        for (int outputs = StemChannels; outputs < StemPatch * StemChannels; channels = outputs, outputs *= 2)
            layers.AddRange([new Conv2d(channels, outputs, 3, 2, 1), new PixelNorm(outputs), Nn.Activation.Gelu]);
        return new([.. layers, new Conv2d(channels, width, 1)]);
    }

    /// <summary>A layer norm of each pixel's channels.</summary>
    private sealed class PixelNorm(int channels) : Layer
    {
        private readonly LayerNorm _norm = new(channels, Transformer.Epsilon);

        protected override void Declare(Module net, string name) => net.Declare(name, _norm);

        public override Tensor Record(Tape tape, Tensor x, BnMode bn) =>
            Transformer.Map(tape, _norm.Record(tape, Transformer.Rows(tape, x), bn), x.Shape);
    }

    /// <summary>x += attention(LN(x)); x += mlp(LN(x)).</summary>
    private sealed class Block(int width, int heads, int tokens) : Layer
    {
        private readonly LayerNorm _norm1 = new(width, Transformer.Epsilon), _norm2 = new(width, Transformer.Epsilon);
        private readonly Linear _qkv = new(width, 3 * width), _proj = new(width, width);
        private readonly TwoLayers _mlp = new(width);

        protected override void Declare(Module net, string name)
        {
            (string, Layer)[] parts = [("norm1", _norm1), ("attn.qkv", _qkv), ("attn.proj", _proj), ("norm2", _norm2), ("mlp", _mlp)];
            foreach (var (part, layer) in parts) net.Declare(Join(name, part), layer);
        }

        public override Tensor Record(Tape tape, Tensor x, BnMode bn)
        {
            var qkv = tape.Split(_qkv.Record(tape, _norm1.Record(tape, x, bn), bn), width, width, width);
            x = tape.Add(x, _proj.Record(tape, tape.Attention(qkv[0], qkv[1], qkv[2], tokens, heads), bn));
            return tape.Add(x, _mlp.Record(tape, _norm2.Record(tape, x, bn), bn));
        }
    }
}
