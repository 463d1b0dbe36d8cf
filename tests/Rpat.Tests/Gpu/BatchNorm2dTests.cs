using Rpat.Engine;

namespace Rpat.Tests.Gpu;

[Collection(GpuCollection.Name)]
[Covers(nameof(IBatchNorm2dKernels.BatchNormTrain), nameof(IBatchNorm2dKernels.BatchNormEval), nameof(IBatchNorm2dKernels.BatchNormBackward), nameof(IBatchNorm2dKernels.BatchNormInputGradient))]
public class BatchNorm2dTests(GpuFixture fixture)
{
    /// <summary>N, C, H, W, offset of the values: with a large one, sums of squares around zero would lose the variance.</summary>
    public static TheoryData<int, int, int, int, double> Cases => new()
    {
        { 2, 3, 5, 7, 0 }, { 5, 70, 6, 6, 0 }, { 9, 5, 8, 8, 300 }, { 3, 1, 1, 2, 0 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Statistics_gradients_and_running_values(int n, int c, int h, int w, double offset)
    {
        using var duel = new Duel(fixture);
        var s = new Shape(n, c, h, w);
        Pair x = duel.Activation(s, 1, offset - 1, offset + 1), dh = duel.Activation(s, 2);
        Pair[] state = [.. Enumerable.Range(0, 4).Select(i => duel.Plain(new Shape(1, c), 3 + i, 0.5, 1.5))];
        foreach (bool train in new[] { true, false })
            foreach (bool relu in new[] { true, false })
                Check(duel, s, x, dh, state, train, relu);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradient_of_a_part_of_a_batch(int n, int c, int h, int w, double offset)
    {
        using var duel = new Duel(fixture);
        var s = new Shape(n, c, h, w);
        Pair x = duel.Activation(s, 1, offset - 1, offset + 1), dh = duel.Activation(s, 2), dx = duel.Activation(s, 3);
        Pair[] saved = [.. Enumerable.Range(0, 4).Select(i => duel.Channels(c, 10 + i))];
        var lines = duel.Devices.ToDictionary(device => device.Kernels, device => Lines(device, c));
        foreach (bool relu in new[] { true, false })
        {
            duel.Run((k, on) =>
            {
                var kept = new BatchNormSaved(on(saved[0])!, on(saved[1])!, on(saved[2])!, on(saved[3])!);
                k.BatchNormInputGradient(s, on(x)!, on(dh)!, kept, relu, lines[k], add: relu, on(dx)!);
            });
            duel.Check(dx, "gradient of a part", new(1e-4, 1e-9));
        }
    }

    // Vectors of one value per channel are padded to a block, which differs from device to device.
    private static DeviceBuffer Lines(Device device, int c)
    {
        int line = device.ChannelLength(c);
        float[] lines = new float[2 * line];
        for (int i = 0; i < c; i++) (lines[i], lines[line + i]) = (0.1f * (i % 7) - 0.3f, 0.05f * (i % 5));
        var buffer = device.Allocate(lines.Length);
        device.Upload(lines, buffer);
        return buffer;
    }

    private static void Check(Duel duel, Shape s, Pair x, Pair dh, Pair[] state, bool train, bool relu)
    {
        Pair[] saved = [.. Enumerable.Range(0, 4).Select(i => duel.Channels(s.C, 10 + i))];
        Pair dx = duel.Activation(s, 20), gamma = duel.Plain(new Shape(1, s.C), 21), beta = duel.Plain(new Shape(1, s.C), 22), only = duel.Activation(s, 23);
        duel.Run((k, on) =>
        {
            var vectors = new BatchNormState(on(state[0])!, on(state[1])!, on(state[2])!, on(state[3])!);
            var kept = new BatchNormSaved(on(saved[0])!, on(saved[1])!, on(saved[2])!, on(saved[3])!);
            if (train) k.BatchNormTrain(s, on(x)!, vectors, moveRunning: relu, kept);
            else k.BatchNormEval(s.C, vectors, kept);
            k.BatchNormBackward(s, on(x)!, on(dh)!, kept, relu, train, new BatchNormGradients(on(gamma), on(beta), relu, on(dx), relu));
            k.BatchNormBackward(s, on(x)!, on(dh)!, kept, relu, train, new BatchNormGradients(null, null, false, on(only), false));
        });
        foreach (var (pair, i) in saved.Concat(state).Select((pair, i) => (pair, i))) duel.Check(pair, $"vector {i}");
        foreach (var (pair, i) in new[] { dx, gamma, beta, only }.Select((pair, i) => (pair, i))) duel.Check(pair, $"gradient {i}", new(1e-4, 1e-9));
    }
}
