namespace Rpat.Tests.Trainer.Training;

public class DivergenceGuardTests
{
    private static readonly DivergenceGuard _guard = new(new GuardSection { Constant = 50, Rollbacks = 1, Overfit = 0 }, classes: 10);

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void ALossThatIsNoNumberIsDivergence(double loss) =>
        Assert.Contains("step 7: the loss is", Assert.Throws<DivergedException>(() => _guard.Check(GuardState.New, 7, loss, null)).Message);

    /// <summary>Nothing has moved then, so that the learning rate is not to blame.</summary>
    [Theory]
    [InlineData(1, "", "step 1: the loss is NaN before any weight has changed: look at the method's loss and weights, and at the network.")]
    [InlineData(1, "plugin p: M", "weights, and at the network (plugin p: M).")]
    [InlineData(2, "plugin p: M", "step 2: the loss is NaN, of which plugin p: M may be the cause; lower optimizer.lr")]
    public void WhatMayBeTheCauseIsNamed(int step, string own, string what) => Assert.Contains(what, Assert.Throws<DivergedException>(() =>
        new DivergenceGuard(new GuardSection(), 10, own).Check(GuardState.New, step, double.NaN, null)).Message);

    [Fact]
    public void AGuardThatRollsBackDoesNotAdviseIt() => Assert.EndsWith("lengthen schedule.warmup, or raise guard.rollbacks.",
        Assert.Throws<DivergedException>(() => new DivergenceGuard(new GuardSection { Action = GuardAction.Rollback }, 10)
            .Check(GuardState.New, 2, double.NaN, null)).Message);

    [Fact]
    public void ALossThatRisesAndStaysIsDivergenceAndASpikeIsNot()
    {
        var state = Follow(GuardState.New, 100, 2.3);
        state = Follow(Follow(state, 1, 400), 100, 2.3);
        var error = Assert.Throws<DivergedException>(() => Follow(state, 100, 60));
        Assert.Contains("where 23.026 is the limit (guard.explode)", error.Message);
        Assert.Equal(5, error.Code);
    }

    [Fact]
    public void OnePredictionForAllIsDivergenceWhenItLasts()
    {
        var state = Follow(GuardState.New, 49, 2, onlyClass: 3);
        state = Follow(state, 1, 2);
        state = Follow(state, 49, 2, onlyClass: 3);
        Assert.Contains("the last 50 steps were put in class 3",
            Assert.Throws<DivergedException>(() => Follow(state, 1, 2, onlyClass: 3)).Message);
        Assert.Equal(1, Follow(state, 1, 2, onlyClass: 4).OnlyClassSteps);
    }

    private static GuardState Follow(GuardState state, int steps, double loss, int? onlyClass = null)
    {
        for (int i = 0; i < steps; i++) state = _guard.Check(state, i + 1, loss, onlyClass);
        return state;
    }
}
