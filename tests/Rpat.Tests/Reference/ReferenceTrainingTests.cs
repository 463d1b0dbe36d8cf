namespace Rpat.Tests.Reference;

/// <summary>Optimizer, averaged weights and schedules.</summary>
public class ReferenceTrainingTests
{
    [Fact]
    public void Plain_descent_follows_the_gradient()
    {
        double[] weights = [1], velocity = [0];
        new ReferenceSgd(0, 0).Step(weights, [2], velocity, 0.1);
        Assert.Equal(0.8, weights[0], 1e-15);
    }

    [Fact]
    public void Momentum_and_decay_reproduce_two_steps_by_hand()
    {
        double[] weights = [1], velocity = [0];
        ReferenceSgd sgd = new(0.9, 0.1);
        sgd.Step(weights, [2], velocity, 0.1);
        Assert.Equal((1 - 0.21, 2.1), (weights[0], velocity[0]));
        sgd.Step(weights, [1], velocity, 0.1);
        // g = 1 + 0.1·0.79 = 1.079; v = 0.9·2.1 + 1.079 = 2.969.
        Assert.Equal(2.969, velocity[0], 1e-12);
        Assert.Equal(0.79 - 0.2969, weights[0], 1e-12);
    }

    [Fact]
    public void Nesterov_looks_one_step_ahead()
    {
        double[] weights = [1], velocity = [0];
        new ReferenceSgd(0.9, 0, nesterov: true).Step(weights, [2], velocity, 0.1);
        Assert.Equal(1 - 0.1 * (2 + 0.9 * 2), weights[0], 1e-12);
    }

    [Fact]
    public void Averaging_with_decay_zero_copies()
    {
        double[] averaged = [1, 2], weights = [3, 5];
        ReferenceEma.Update(averaged, weights, 0.75);
        Assert.Equal([1.5, 2.75], averaged);
        ReferenceEma.Update(averaged, weights, 0);
        Assert.Equal(weights, averaged);
    }

    [Theory]
    [InlineData(0, 0.1)]
    [InlineData(99.99, 0.1)]
    [InlineData(100, 0.01)]
    [InlineData(105, 0.001)]
    public void The_piecewise_rate_drops_at_its_milestones(double epoch, double rate) =>
        Assert.Equal(rate, ReferenceSchedule.Piecewise(epoch, 0.1, 10, 100, 105), 1e-12);

    [Fact]
    public void The_cosine_falls_from_peak_to_low_behind_its_rise()
    {
        double Rate(double t) => ReferenceSchedule.WarmUp(t, 10, 0.2, rest => ReferenceSchedule.Cosine(rest, 0.2, 100, 0.02));
        Assert.Equal([0, 0.1, 0.2, 0.11, 0.02, 0.02], new[] { 0.0, 5, 10, 60, 110, 150 }.Select(t => Math.Round(Rate(t), 12)));
    }
}
