namespace Rpat.Tests.Trainer.Training;

/// <summary>When robustness counts as gone at once, which is another thing than falling slowly.</summary>
public sealed class ValidationMonitorTests
{
    [Theory]
    [InlineData(0.45, 0.02, 0.80, true)] // PGD gone, the single step still met
    [InlineData(0.45, 0.20, 0.50, true)]
    [InlineData(0.45, 0.30, 0.80, false)] // falls, but is there
    [InlineData(0.45, 0.02, 0.20, false)] // training fell as well: that is divergence
    [InlineData(0.12, 0.01, 0.80, false)] // a guess among ten classes has nothing to lose
    public void RobustnessCollapsesWhenTheTrainingAttackIsStillMet(double best, double robust, double train, bool collapse) =>
        Assert.Equal(collapse, new MonitorState(3, best, TrainAtBest: 0.5, Falling: 0).IsCollapse(robust, train, classes: 10));
}
