using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;
using Rpat.Tests.Distributed;
using Rpat.Tests.Robust;

namespace Rpat.Tests.Gpu;

/// <summary>A batch that a rank on the GPU's kernels and one on the CPU's share is trained as one process trains it.</summary>
public class SharedTrainingTests(GpuFixture fixture) : IClassFixture<GpuFixture>
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
            TestNets.AssertClose(state, rank.State);
        }
    }

    /// <summary>Steps whose attack takes no gradient, so that no sign can flip; the later ones would be captured in one process.</summary>
    private static (NamedArray[] State, double Loss) Train(Device device, IProcessGroup? team)
    {
        PreActResNet net = TestNets.Small(device, width: 3); // batch norms' parameters do not begin at 16-byte boundaries
        var objective = new PgdAt(PgdOptions.Linf with { IsNoise = true }).With(new RobustPerception());
        var step = new TrainingStep(net, objective, new Sgd(net.Parameters, 0.9f, 5e-4f), seed: 7, team: team);
        for (int i = 0; i < Steps; i++)
            step.Run(TestNets.Images(Batch, seed: 10 + i), TestNets.ClassesOf(Batch), TestNets.Indices(Batch), epoch: 1, rate: 0.01f);
        return ([.. net.State()], step.Loss.Read());
    }
}
