using Rpat.Robust.Methods;
using Rpat.Tests.Robust;

namespace Rpat.Tests.Distributed;

/// <summary>
/// Steps on batches that two or three processes share, here threads with a device of their own each: all end with the same bits, and with
/// the numbers of one process but for rounding. The batches divide evenly, unevenly, and into fewer images than processes.
/// </summary>
public sealed class SharedStepTests
{
    private static readonly int[] _seeds = [80, 40, 70];
    private static readonly int[] _batches = [6, 5, 2];

    public static TheoryData<int, int> Cases
    {
        get
        {
            TheoryData<int, int> cases = [];
            for (int method = 0; method < MethodTests.All.Count; method++)
                foreach (int size in new[] { 2, 3 }) cases.Add(method, size);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_step_of_any_method_is_that_of_one_process(int method, int size)
    {
        var objective = MethodTests.All[method];
        foreach (int batch in _batches)
        {
            // Where a ReLU is so near to zero that rounding decides, a gradient jumps; that does not happen with all images.
            double apart = _seeds.Select(seed => Apart(objective, size, batch, seed)).FirstOrDefault(distance => distance < 1e-4, 1);
            Assert.True(apart < 1e-4, $"a batch of {batch} is trained otherwise than in one process");
        }
    }

    [Fact]
    public void No_registered_method_is_left_out() => Assert.Empty(
        MethodCatalog.Find(typeof(MethodCatalog).Assembly).Select(method => method.Name)
            .Except(MethodTests.All.Select(method => method.Name)));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Processes_stay_alike_bit_by_bit(int method, int size)
    {
        var objective = MethodTests.All[method];
        Alike(Team.Run(size, team => Train(objective, team, _seeds[0], _batches)));
    }

    private static double Apart(Objective objective, int size, int batch, int seed)
    {
        var one = Train(objective, null, seed, batch);
        var ranks = Team.Run(size, team => Train(objective, team, seed, batch));
        Alike(ranks);
        Assert.Equal(one.Labels, ranks[0].Labels);
        Assert.Equal(one.Losses[0], ranks[0].Losses[0], 1e-5 * Math.Abs(one.Losses[0]));
        return Apart(one.State, ranks[0].State);
    }

    private static void Alike(Trained[] ranks)
    {
        foreach (var rank in ranks.Skip(1))
        {
            Assert.Equal(ranks[0].Losses, rank.Losses);
            Assert.Equal(ranks[0].Logits, rank.Logits);
            TestNets.SameBits(ranks[0].State, rank.State);
        }
    }

    /// <summary>Largest relative distance of an array of floats from another, in the Euclidean norm; what counts must be equal.</summary>
    private static double Apart(NamedArray[] expected, NamedArray[] actual)
    {
        double most = 0;
        foreach (var (a, b) in expected.Zip(actual))
        {
            Assert.Equal(a.Name, b.Name);
            if (a.Type != ElementType.F32) Assert.True(a.Data.Span.SequenceEqual(b.Data.Span), a.Name);
            else most = Math.Max(most, Distance(a.ToFloats(), b.ToFloats()));
        }
        return most;
    }

    private static double Distance(float[] a, float[] b)
    {
        double apart = 0, norm = 0;
        for (int i = 0; i < a.Length; i++)
            (apart, norm) = (apart + (a[i] - (double)b[i]) * (a[i] - (double)b[i]), norm + a[i] * (double)a[i]);
        return apart == 0 ? 0 : Math.Sqrt(apart / Math.Max(norm, 1e-12));
    }

    private static Trained Train(Objective objective, IProcessGroup? team, int seed, params int[] batches)
    {
        using var device = Device.Cpu(1);
        var (net, step) = MethodTests.Make(device, objective, team);
        var losses = new List<double>();
        for (int i = 0; i < batches.Length; i++)
        {
            int n = batches[i];
            step.Run(new TrainingBatch
            {
                Images = TestNets.Images(step.TwoViews ? 2 * n : n, seed: seed + i),
                Labels = TestNets.ClassesOf(n),
                Samples = TestNets.Indices(n, 6 * i),
            }, new StepContext(1, i, 10, 0.01f, 0.01f));
            losses.Add(step.Loss.Read());
        }
        return new Trained([.. losses], [.. net.State(), .. step.State()], step.WholeBatch(step.Logits), step.LogitLabels.ToArray());
    }

    private sealed record Trained(double[] Losses, NamedArray[] State, float[] Logits, int[] Labels);
}
