using Rpat.Tests.Reference;

namespace Rpat.Tests.Optim;

public class ScheduleTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1_000_000)]
    public void A_constant_stays(int step) => Assert.Equal(0.1f, new ConstantSchedule(0.1f).Rate(step));

    [Theory]
    [InlineData(0, 0.1f)]
    [InlineData(99, 0.1f)]
    [InlineData(100, 0.01f)]
    [InlineData(149, 0.01f)]
    [InlineData(150, 0.001f)]
    [InlineData(100_000, 0.001f)]
    public void Milestones_multiply_from_their_own_step_on(int step, float rate) =>
        Assert.Equal(rate, new PiecewiseSchedule(0.1f, 0.1f, [100, 150]).Rate(step), 1e-8);

    [Fact]
    public void Milestones_follow_the_reference()
    {
        PiecewiseSchedule schedule = new(0.2f, 0.5f, [10, 11, 40]);
        for (int step = 0; step < 60; step++)
            Assert.Equal(ReferenceSchedule.Piecewise(step, 0.2, 2, 10, 11, 40), schedule.Rate(step), 1e-8);
    }

    [Fact]
    public void Without_milestones_the_rate_stays() => Assert.Equal(0.3f, new PiecewiseSchedule(0.3f, 0.1f, []).Rate(7));

    [Theory]
    [InlineData(0.1f, 0f, 100, 0)]
    [InlineData(0.1f, 0.001f, 77, 0)]
    [InlineData(0.4f, 0.01f, 120, 20)]
    public void The_cosine_follows_the_reference_behind_its_warm_up(float start, float end, int total, int warm)
    {
        CosineSchedule schedule = new(start, end, total) { WarmupSteps = warm };
        for (int step = 0; step < total + 5; step++)
        {
            // The first of n warm-up steps already has 1/n of the rate: a step at rate zero would be lost.
            double expected = step < warm
                ? ReferenceSchedule.WarmUp(step + 1, warm + 1e-9, start, _ => start) * (warm + 1e-9) / warm
                : ReferenceSchedule.Cosine(step - warm, start, total - warm, end);
            Assert.Equal(expected, schedule.Rate(step), 1e-7);
        }
    }

    [Fact]
    public void A_cosine_begins_at_its_start_passes_the_middle_and_stays_at_its_end()
    {
        CosineSchedule schedule = new(0.1f, 0.02f, 100);
        Assert.Equal([0.1f, 0.06f, 0.02f, 0.02f], new[] { 0, 50, 100, 1000 }.Select(s => MathF.Round(schedule.Rate(s), 6)));
    }

    [Fact]
    public void A_warm_up_rises_evenly_to_the_rate_behind_it()
    {
        ConstantSchedule schedule = new(0.8f) { WarmupSteps = 4 };
        Assert.Equal([0.2f, 0.4f, 0.6f, 0.8f, 0.8f], Enumerable.Range(0, 5).Select(s => MathF.Round(schedule.Rate(s), 6)));
    }

    [Fact]
    public void A_run_that_is_all_warm_up_has_no_division_by_zero()
    {
        CosineSchedule schedule = new(0.1f, 0, 5) { WarmupSteps = 5 };
        Assert.All(Enumerable.Range(0, 8), step => Assert.InRange(schedule.Rate(step), 0f, 0.1f));
    }

    [Fact]
    public void A_rate_depends_on_its_step_alone()
    {
        CosineSchedule schedule = new(0.1f, 0, 50) { WarmupSteps = 5 };
        float[] forwards = [.. Enumerable.Range(0, 50).Select(schedule.Rate)];
        Assert.Equal(forwards.Reverse(), Enumerable.Range(0, 50).Reverse().Select(schedule.Rate));
    }
}
