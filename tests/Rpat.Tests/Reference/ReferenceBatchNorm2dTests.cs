namespace Rpat.Tests.Reference;

public class ReferenceBatchNorm2dTests
{
    private static readonly Array4 _x = Array4.Uniform(3, 4, 3, 2, seed: 1, low: -1, high: 3);
    private static readonly Array4 _dy = Array4.Uniform(3, 4, 3, 2, seed: 2);
    private static readonly double[] _gamma = Array4.Uniform(1, 4, 1, 1, seed: 3, low: 0.5, high: 2).Data;
    private static readonly double[] _beta = Array4.Uniform(1, 4, 1, 1, seed: 4).Data;

    [Fact]
    public void Train_mode_gives_every_channel_mean_beta_and_deviation_gamma()
    {
        ChannelStatistics result = ReferenceBatchNorm2d.Statistics(ReferenceBatchNorm2d.ForwardTrain(_x, _gamma, _beta));
        for (int c = 0; c < 4; c++)
        {
            Assert.Equal(_beta[c], result.Mean[c], 1e-12);
            Assert.Equal(_gamma[c] * _gamma[c], result.Variance[c], 1e-4);
        }
    }

    [Fact]
    public void Running_statistics_store_the_unbiased_variance()
    {
        ChannelStatistics running = new([1], [1]);
        ReferenceBatchNorm2d.UpdateRunning(running, Array4.From(2, 1, 1, 2, 1, 2, 3, 6));
        // Mean 3, squares 4 + 1 + 0 + 9 = 14, unbiased 14/3.
        Assert.Equal(0.9 + 0.3, running.Mean[0], 1e-12);
        Assert.Equal(0.9 + 1.4 / 3, running.Variance[0], 1e-12);
    }

    [Fact]
    public void One_value_per_channel_has_no_unbiased_variance() =>
        Assert.Throws<ArgumentException>(() => ReferenceBatchNorm2d.UpdateRunning(new([0], [1]), new Array4(1, 1, 1, 1)));

    [Fact]
    public void The_train_gradient_sums_to_zero_over_a_channel()
    {
        Array4 dx = ReferenceBatchNorm2d.BackwardTrain(_x, _gamma, _dy).X;
        // The output does not change with a shift of x, so the channel's gradients cancel.
        for (int c = 0; c < 4; c++)
            Assert.Equal(0, Enumerable.Range(0, 3).Sum(n => Enumerable.Range(0, 6).Sum(i => dx[n, c, i / 2, i % 2])), 1e-12);
    }
}
