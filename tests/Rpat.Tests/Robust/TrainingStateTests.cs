using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;

namespace Rpat.Tests.Robust;

/// <summary>A training step that is stopped and set up again continues bit for bit.</summary>
public class TrainingStateTests
{
    private static readonly Objective _objective = new PgdAt(PgdOptions.Linf with { Steps = 2 }).With(new RobustPerception());

    [Fact]
    public void A_step_that_was_set_up_again_goes_on_bit_by_bit()
    {
        using var device = Device.Cpu(2);
        var (whole, step) = Fresh(device);
        Run(step, 0, 4);
        var (first, before) = Fresh(device);
        Run(before, 0, 2);
        var (second, after) = Fresh(device);
        second.Load(first.State());
        after.LoadState(before.State().ToDictionary(a => a.Name));
        Run(after, 2, 4);
        TestNets.SameBits([.. whole.State()], [.. second.State()]);
        TestNets.SameBits([.. step.State()], [.. after.State()]);
    }

    /// <summary>AdamW with perturbed and averaged weights, and a net with dropout, whose numbers come from the step: the caller's or, if it
    /// gives none, the next.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Adam_and_dropout_go_on_bit_by_bit(bool isNumbered)
    {
        Action<TrainingStep, int, int> run = isNumbered ? Run : Unnumbered;
        using var device = Device.Cpu(2);
        var (whole, step) = Dropping(device);
        run(step, 0, 4);
        var (first, before) = Dropping(device);
        run(before, 0, 2);
        var (second, after) = Dropping(device);
        second.Load(first.State().ToDictionary(a => a.Name));
        after.LoadState(before.State().ToDictionary(a => a.Name));
        run(after, 2, 4);
        TestNets.SameBits([.. whole.State()], [.. second.State()]);
        TestNets.SameBits([.. step.State()], [.. after.State()]);

        static void Unnumbered(TrainingStep step, int from, int to)
        {
            for (int i = from; i < to; i++)
                step.Run(TestNets.Images(4, seed: 10 + i), TestNets.ClassesOf(4), TestNets.Indices(4, 4 * i), epoch: 1, rate: 0.1f);
        }
    }

    [Fact]
    public void A_state_that_lacks_a_momentum_is_refused_and_changes_nothing()
    {
        using var device = Device.Cpu(1);
        var (_, step) = Fresh(device);
        Run(step, 0, 1);
        var state = step.State().ToDictionary(a => a.Name);
        state.Remove("sgd.conv1.weight");
        var error = Assert.Throws<CheckpointException>(() => step.LoadState(state));
        Assert.Equal("The training state has no 'sgd.conv1.weight': it belongs to another run.", error.Message);
    }

    [Fact]
    public void Averaged_weights_come_back_bit_by_bit()
    {
        using var device = Device.Cpu(1);
        Ema one = new(TestNets.Small(device, seed: 1), TestNets.Small(device, seed: 2)),
            other = new(TestNets.Small(device), TestNets.Small(device));
        one.Update(0.5f);
        other.LoadState(one.State().ToDictionary(a => a.Name));
        TestNets.SameBits([.. one.State()], [.. other.State()]);
    }

    /// <summary>What no step moves, such as MeanSparse's statistics, is in the average too.</summary>
    [Fact]
    public void An_average_begins_with_the_networks_whole_state()
    {
        using var device = Device.Cpu(1);
        var spec = new ModelSpec("dm-wideresnet10-1-meansparse", new Shape(1, 3, 12, 12), 5);
        var net = ModelCatalog.Build(device, spec, seed: 1);
        net.Load(net.State().Select(array => array.Name.Contains("threshold", StringComparison.Ordinal)
            ? NamedArray.FromFloats(array.Name, [.. Enumerable.Repeat(0.5f, (int)array.Count)], array.Shape) : array));
        var step = new TrainingStep(net, _objective.With(new EmaAveraging(0.9f)), new Sgd(net.Parameters), seed: 1,
            new AuxiliaryModels { Twin = () => ModelCatalog.Build(device, spec, seed: 2) });
        TestNets.SameBits([.. net.State()], [.. step.Averaged!.State()]);
        Assert.Contains(step.Averaged.State(), array => array.Name.Contains("threshold", StringComparison.Ordinal)
            && array.ToFloats()[0] == 0.5f);
    }

    private static (PreActResNet Net, TrainingStep Step) Fresh(Device device)
    {
        PreActResNet net = TestNets.Small(device);
        return (net, new TrainingStep(net, _objective, new Sgd(net.Parameters, 0.9f, 5e-4f), seed: 7));
    }

    private static (Network Net, TrainingStep Step) Dropping(Device device)
    {
        Network Make() => new(device, TestNets.Image, 5, new Sequential(new Conv2d(3, 8, 3, stride: 2), new BatchNorm(8), Activation.Silu,
            new Dropout(0.3), Pool.GlobalAverage(), new Dropout(0.2), new Linear(8, 5)), seed: 3);
        Network net = Make();
        var adam = new Adam(net.Parameters, weightDecay: 0.01f, decoupled: true);
        var companions = new AuxiliaryModels { Twin = Make };
        return (net, new TrainingStep(net, _objective.With(new Awp()), adam, seed: 7, companions));
    }

    private static void Run(TrainingStep step, int from, int to)
    {
        for (int i = from; i < to; i++)
            step.Run(new()
            {
                Images = TestNets.Images(4, seed: 10 + i),
                Labels = TestNets.ClassesOf(4),
                Samples = TestNets.Indices(4, 4 * i)
            },
                new StepContext(1, i, 4, Rate: 0.1f, TopRate: 0.1f));
    }
}
