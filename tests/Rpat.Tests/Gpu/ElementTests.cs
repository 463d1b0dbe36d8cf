using Rpat.Engine;

namespace Rpat.Tests.Gpu;

/// <summary>Kernels that go over plain buffers of any length: what is behind the last whole quad is read and written too, and nothing more.</summary>
[Collection(GpuCollection.Name)]
[Covers(nameof(ILerpKernels.Lerp), nameof(ILerpKernels.Scale), nameof(ISgdKernels.Sgd), nameof(IEmaKernels.Ema),
    nameof(IWeightPerturbationKernels.PerturbWeights))]
public class ElementTests(GpuFixture fixture)
{
    public static TheoryData<int> Lengths => [1, 2, 3, 4, 7, 1025];

    [Theory]
    [InlineData(1)]
    [InlineData(37)]
    public void Perturbed_weights(int count) => Perturb(new Duel(fixture), count);

    internal static void Perturb(Duel made, int count)
    {
        using var duel = made;
        var shape = new Shape(1, count);
        Pair w = duel.Plain(shape, 1), g = duel.Plain(shape, 2), v = duel.Plain(shape, 3);
        duel.Run((k, on) => k.PerturbWeights(count, on(w)!, on(g)!, 0.01f, on(v)!));
        duel.Check(w, "w");
        duel.Check(v, "v");
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Interpolation_and_scaling(int count)
    {
        using var duel = new Duel(fixture);
        Pair a = Vector(duel, count, 1), b = Vector(duel, count, 2), y = Vector(duel, count, 3), stored = Vector(duel, count, 4), added = Vector(duel, count, 5);
        duel.Run((k, on) =>
        {
            k.Lerp(count, on(a)!, on(b)!, 0.3f, on(y)!);
            k.Scale(count, on(a)!, 1.7f, false, on(stored)!);
            k.Scale(count, on(a)!, 1.7f, true, on(added)!);
        });
        duel.Check(y, "y");
        duel.Check(stored, "stored");
        duel.Check(added, "added");
    }

    [Fact]
    public void Values_behind_a_view_stay()
    {
        using var duel = new Duel(fixture);
        Pair x = Vector(duel, 9, 1), y = Vector(duel, 9, 2);
        duel.Run((k, on) => k.Scale(6, on(x)!, 2, false, on(y)!.View(0, 6)));
        duel.CheckBits(y);
    }

    [Theory]
    [InlineData(0f, 0f, false)]
    [InlineData(0.9f, 5e-4f, false)]
    [InlineData(0.9f, 5e-4f, true)]
    public void Three_steps_of_SGD(float momentum, float decay, bool nesterov)
    {
        const int count = 1026;
        using var duel = new Duel(fixture);
        Pair w = Vector(duel, count, 1), g = Vector(duel, count, 2), v = Vector(duel, count, 3);
        duel.Run((k, on) =>
        {
            for (int i = 1; i <= 3; i++) k.Sgd(count, on(w)!, on(g)!, on(v)!, new SgdStep(0.1f / i, momentum, decay, nesterov));
        });
        duel.Check(w, "weights");
        duel.Check(v, "velocity");
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Averages(int count)
    {
        using var duel = new Duel(fixture);
        Pair average = Vector(duel, count, 1), values = Vector(duel, count, 2);
        duel.Run((k, on) => k.Ema(count, on(average)!, on(values)!, 0.995f));
        duel.Check(average, "average");
    }

    private static Pair Vector(Duel duel, int count, int seed) => duel.Plain(new Shape(1, count), seed);
}
