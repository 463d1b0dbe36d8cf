using Rpat.Tests.IO;
using Rpat.Tests.Support;

namespace Rpat.Tests.Models;

/// <summary>Checks of a network's state that hold for every model.</summary>
internal static class ModelState
{
    /// <summary>Saves one network, loads another of the same kind from the file, and compares every bit.</summary>
    public static void AssertRoundTrip(Module saved, Module loaded)
    {
        using TempFolder folder = new();
        Assert.True(Bits.Differ(saved, loaded), "The two networks must differ before loading.");
        Safetensors.Write(folder.File("net.safetensors"), saved.State());
        using (SafetensorsFile file = Safetensors.Read(folder.File("net.safetensors")))
            loaded.Load(file.Tensors.Keys.ToDictionary(name => name, file.Load));
        Bits.Equal(saved, loaded);
    }

    /// <summary>
    /// A state that lacks one name, has one too many and one of another shape: the message names all three, and nothing changes.
    /// </summary>
    public static void AssertMisfitIsRefused(Module net, string missing, string reshaped)
    {
        NamedArray[] before = [.. net.State()];
        var state = before.ToDictionary(a => a.Name);
        Assert.True(state.Remove(missing));
        state["head.extra"] = NamedArray.FromFloats("head.extra", [1f], 1);
        state[reshaped] = NamedArray.FromFloats(reshaped, [1f, 2f, 3f], 3);
        string message = Assert.Throws<CheckpointException>(() => net.Load(state)).Message;
        Assert.Contains($"1 missing: {missing}", message);
        Assert.Contains("1 unexpected: head.extra", message);
        Assert.Contains($"1 of another shape: {reshaped} (model [", message);
        Assert.Contains("file [3]", message);
        Assert.All(before.Zip(net.State()), pair => Assert.True(pair.First.Data.Span.SequenceEqual(pair.Second.Data.Span)));
    }

    /// <summary>Every value with small steps away from where layers start, so that no statistic or γ hides an error.</summary>
    public static void Disturb(Module net, int seed)
    {
        System.Random random = new(seed);
        net.Load(net.State().ToDictionary(a => a.Name, a => a.Type == ElementType.I64
            ? NamedArray.FromInt64(a.Name, [random.Next(1, 100)])
            : NamedArray.FromFloats(a.Name, Array.ConvertAll(a.ToFloats(), v => v + 0.2f * (random.NextSingle() - 0.5f)), a.Shape)));
    }

    /// <summary>Eval-mode logits of a batch.</summary>
    public static float[] Logits(Classifier net, float[] images, int n, BnMode mode = BnMode.Eval)
    {
        var tape = new Tape(net.Device);
        Tensor logits = tape.Retain(net.Forward(tape, Tensor.From(net.Device, net.InputShape.WithBatch(n), images), mode));
        tape.Forward();
        return logits.ToArray();
    }
}
