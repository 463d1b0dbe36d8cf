namespace Rpat.Tests.Reference;

public class ReferencePreActResNetTests
{
    private static readonly PreActResNetShape _tiny = new(Width: 2, BlocksPerStage: 1, Classes: 3, Channels: 2);
    private static readonly Array4 _x = Array4.Uniform(3, 2, 9, 8, seed: 1, low: 0, high: 1);
    private static readonly Array4 _dlogits = Array4.Uniform(3, 3, 1, 1, seed: 2);

    [Theory]
    [InlineData(10, 11_172_170)]
    [InlineData(100, 11_218_340)]
    public void Width_64_with_two_blocks_has_the_published_parameter_count(int classes, int count) =>
        Assert.Equal(count, new PreActResNetShape(Classes: classes).Parameters().Sum(p => p.Shape.Aggregate(1, (a, b) => a * b)));

    [Fact]
    public void Parameters_carry_pytorchs_names()
    {
        PreActResNetShape shape = new(Width: 4);
        string[] names = [.. shape.Parameters().Select(p => p.Name)];
        Assert.Equal("conv1.weight", names[0]);
        Assert.Contains("layer2.0.shortcut.0.weight", names);
        Assert.DoesNotContain("layer1.0.shortcut.0.weight", names);
        Assert.DoesNotContain("layer2.1.shortcut.0.weight", names);
        Assert.Contains(("layer4.1.bn2.running_var", 32), shape.Buffers());
        Assert.Contains(("bn.running_mean", 32), shape.Buffers());
        // Two buffers for each of the 17 norms: two in each of the eight blocks, and the head's.
        Assert.Equal(34, shape.Buffers().Count());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void All_gradients_match_differences(bool eval)
    {
        NormMode mode = eval ? NormMode.Eval : NormMode.TrainFrozen;
        Dictionary<string, double[]> state = Perturbed(_tiny);
        ReferencePreActResNet net = new(_tiny, state);
        NetworkGradient gradient = net.Forward(_x, mode).Backward(_dlogits);

        NumericalGradient.AssertGradient(p => net.Logits(p, mode).Dot(_dlogits), _x, gradient.Input, 1e-5, maxEntries: 40);
        Assert.Equal(_tiny.Parameters().Select(p => p.Name).Order(), gradient.Parameters.Keys.Order());
        foreach ((string name, double[] values) in gradient.Parameters)
            NumericalGradient.AssertGradient(
                () => net.Logits(_x, mode).Dot(_dlogits), state[name], values, 1e-5, maxEntries: 12, name: i => $"{name}[{i}]");
    }

    [Fact]
    public void Identity_shortcuts_carry_the_gradient_too()
    {
        PreActResNetShape shape = _tiny with { BlocksPerStage = 2 };
        ReferencePreActResNet net = new(shape, Perturbed(shape));
        NetworkGradient gradient = net.Forward(_x, NormMode.TrainFrozen).Backward(_dlogits);
        NumericalGradient.AssertGradient(
            p => net.Logits(p, NormMode.TrainFrozen).Dot(_dlogits), _x, gradient.Input, 1e-5, maxEntries: 40);
    }

    [Fact]
    public void Only_train_mode_moves_the_running_statistics()
    {
        Dictionary<string, double[]> state = Perturbed(_tiny);
        ReferencePreActResNet net = new(_tiny, state);
        double[] before = [.. state["bn.running_mean"]];
        Array4 frozen = net.Logits(_x, NormMode.TrainFrozen);
        net.Logits(_x, NormMode.Eval);
        Assert.Equal(before, state["bn.running_mean"]);
        Assert.Equal(frozen.Data, net.Logits(_x, NormMode.Train).Data);
        Assert.NotEqual(before, state["bn.running_mean"]);
    }

    [Fact]
    public void In_eval_mode_a_sample_does_not_depend_on_its_batch()
    {
        ReferencePreActResNet net = new(_tiny, Perturbed(_tiny));
        Array4 alone = Array4.From(1, 2, 9, 8, _x.Sample(1));
        Assert.Equal(net.Logits(_x, NormMode.Eval).Sample(1).ToArray(), net.Logits(alone, NormMode.Eval).Data);
    }

    [Fact]
    public void The_whole_rpat_step_matches_differences()
    {
        Dictionary<string, double[]> state = Perturbed(_tiny);
        ReferencePreActResNet net = new(_tiny, state);
        Array4 adversarial = Array4.Uniform(3, 2, 9, 8, seed: 5, low: 0, high: 1);
        StepResult Step() => ReferenceRpatStep.Evaluate(net, _x, adversarial, [0, 2, 1], 5, 0.3, NormMode.TrainFrozen);
        StepResult step = Step();
        Assert.True(step.Perception > 1e-3 * step.CrossEntropy, "The check would not see the perception term.");
        foreach (string name in new[] { "conv1.weight", "layer2.0.shortcut.0.weight", "layer3.0.bn2.weight", "linear.bias" })
            NumericalGradient.AssertGradient(() => Step().Loss, state[name], step.Gradients[name], 1e-5, 6, name: i => $"{name}[{i}]");
    }

    [Fact]
    public void With_weight_zero_the_step_is_plain_adversarial_training()
    {
        Dictionary<string, double[]> state = Perturbed(_tiny), twin = Perturbed(_tiny);
        StepResult step = ReferenceRpatStep.Evaluate(new(_tiny, state), _x.Map(v => 1 - v), _x, [0, 2, 1], 0, 0.5);
        ReferencePreActResNet.Pass pass = new ReferencePreActResNet(_tiny, twin).Forward(_x, NormMode.Train);
        Assert.Equal(ReferenceCrossEntropy.Mean(pass.Logits, [0, 2, 1]), step.Loss);
        Assert.Equal(twin["bn.running_var"], state["bn.running_var"]);
    }

    // Norm parameters and statistics away from their start values, so that no factor of one or zero hides a mistake.
    private static Dictionary<string, double[]> Perturbed(PreActResNetShape shape)
    {
        Dictionary<string, double[]> state = shape.Initialise(seed: 3);
        Random random = new(4);
        foreach (double[] values in state.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => entry.Value))
            for (int i = 0; i < values.Length; i++)
                values[i] = 1.5 * values[i] + 0.2 * random.NextDouble();
        return state;
    }
}
