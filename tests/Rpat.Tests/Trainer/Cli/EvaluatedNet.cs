using Rpat.Models;

namespace Rpat.Tests.Trainer.Cli;

/// <summary>A tiny net in a file and images for it, made for each test.</summary>
public abstract class EvaluatedNet : IDisposable
{
    protected EvaluatedNet()
    {
        Model = Test.PathOf("net.safetensors");
        Data = Test.PathOf("data.npz");
        using var device = Device.Cpu(1);
        Safetensors.Write(Model, ModelCatalog.Build(device, Spec, seed: 1).State(), ModelMetadata.Write(Spec));
        byte[] pixels = new byte[24 * 64];
        new Random(1).NextBytes(pixels);
        Npz.Write(Data, [new NamedArray("images", ElementType.U8, [24, 1, 8, 8], pixels),
            NamedArray.FromInt64("labels", [.. Enumerable.Range(0, 24).Select(i => i % 10L)], 24)]);
    }

    private protected static ModelSpec Spec { get; } = new("preactresnet18", new Shape(1, 1, 8, 8), 10) { Width = 4, Blocks = 1 };

    private protected TestHost Test { get; } = new();

    protected string Model { get; }

    protected string Data { get; }

    public void Dispose()
    {
        Test.Dispose();
        GC.SuppressFinalize(this);
    }
}
