using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;
using Rpat.Tests.Distributed;
using Rpat.Tests.Ops;
using Rpat.Tests.Reference;
using Rpat.Tests.Robust;

namespace Rpat.Tests.Gpu;

/// <summary>A batch that a rank on the GPU's kernels and one on the CPU's share is trained as one process trains it.</summary>
[Collection(GpuCollection.Name)]
public class SharedTrainingTests(GpuFixture fixture)
{
    private const int Batch = 4, Steps = 3;

    [Fact]
    public void A_part_on_a_GPU_counts_like_any_other()
    {
        using var cpu = Device.Cpu(1, ConvolutionAlgorithm.Direct);
        var (state, loss) = Train(cpu, null);
        var ranks = Team.Run(2, team =>
        {
            if (team.Rank == 0) return Train(fixture.Device(), team);
            using var other = Device.Cpu(1, ConvolutionAlgorithm.Direct);
            return Train(other, team);
        });
        foreach (var rank in ranks)
        {
            Assert.Equal(loss, rank.Loss, 1e-4);
            foreach (var (a, b) in state.Zip(rank.State))
                if (!a.Name.EndsWith("num_batches_tracked", StringComparison.Ordinal))
                    OpGraph.AssertClose(Array(a), Array(b), new Tolerance(1e-3, 1e-7), a.Name);
        }
    }

    /// <summary>Steps whose attack takes no gradient, so that no sign can flip; the later ones would be captured in one process.</summary>
    private static (NamedArray[] State, double Loss) Train(Device device, IProcessGroup? team)
    {
        PreActResNet net = TestNets.Small(device, width: 4);
        var objective = new PgdAt(PgdOptions.Linf with { Steps = 0 }).With(new RobustPerception());
        var step = new TrainingStep(net, objective, new Sgd(net.Parameters, 0.9f, 5e-4f), seed: 7, team: team);
        for (int i = 0; i < Steps; i++)
            step.Run(TestNets.Images(Batch, seed: 10 + i), TestNets.ClassesOf(Batch), TestNets.Indices(Batch), epoch: 1, rate: 0.01f);
        return ([.. net.State()], step.Loss.Read());
    }

    private static Array4 Array(NamedArray a)
    {
        float[] values = a.ToFloats();
        return Array4.FromFloats(1, values.Length, 1, 1, values);
    }
}
