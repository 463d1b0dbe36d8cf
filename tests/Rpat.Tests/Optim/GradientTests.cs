using Rpat.Tests.Support;

namespace Rpat.Tests.Optim;

/// <summary>What happens to gradients before a step: they are gathered over batches, and clipped.</summary>
public sealed class GradientTests : IDisposable
{
    private readonly Device _device = Device.Cpu(2);
    private readonly ParameterStore _store;

    public GradientTests()
    {
        _store = new ParameterStore(_device);
        _store.Declare("a", new Shape(1, 3), 3);
        _store.Declare("b", new Shape(1, 2), 2);
        _store.Allocate();
    }

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData(2f, 2 / (10 + 1e-6))] // ‖(1, 3, 3, 9, 0)‖ = 10
    [InlineData(10f, 10 / (10 + 1e-6))]
    [InlineData(11f, 1.0)]
    [InlineData(0f, 1.0)]
    public void A_gradient_that_is_too_long_is_shortened_as_PyTorch_does(float most, double factor)
    {
        float[] gradient = [1, 3, 3, 9, 0];
        Step(new Sgd(_store, momentum: 0) { ClipNorm = most }, gradient);
        Assert.Equal(Array.ConvertAll(gradient, g => -g * (float)factor), Values(), (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void A_gradient_that_is_no_number_is_left_for_the_guard_to_see()
    {
        Step(new Sgd(_store, momentum: 0) { ClipNorm = 1 }, [1, float.NaN, 3, 9, 0]);
        Assert.Contains(float.NaN, Values());
    }

    [Fact]
    public void Batches_are_gathered_to_their_mean_and_the_last_ones_count_as_they_are()
    {
        var sgd = new Sgd(_store, momentum: 0) { Accumulate = 2 };
        Assert.False(Step(sgd, [1, 2, 3, 4, 5]));
        Assert.All(Values(), v => Assert.Equal(0, v));
        Assert.True(Step(sgd, [3, 2, 1, 0, -5]));
        Assert.Equal([-2, -2, -2, -2, 0], Values());
        Assert.True(Step(sgd, [2, 0, 0, 0, 0], last: true));
        Assert.Equal([-3, -2, -2, -2, 0], Values());
    }

    [Fact]
    public void The_mean_is_what_is_clipped()
    {
        var sgd = new Sgd(_store, momentum: 0) { Accumulate = 2, ClipNorm = 1 };
        Step(sgd, [100, 0, 0, 0, 0]);
        Step(sgd, [-100, 0.5f, 0, 0, 0]);
        Assert.Equal([0, -0.25f, 0, 0, 0], Values());
    }

    [Fact]
    public void What_is_gathered_is_part_of_the_state()
    {
        var first = new Sgd(_store, momentum: 0) { Accumulate = 3 };
        Step(first, [3, 0, 0, 0, 0]);
        Step(first, [0, 3, 0, 0, 0]);
        var state = first.State().ToDictionary(array => array.Name);
        var second = new Sgd(_store, momentum: 0) { Accumulate = 3 };
        second.LoadState(state);
        Assert.True(Step(second, [0, 0, 3, 0, 0]));
        Assert.Equal([-1, -1, -1, 0, 0], Values());
        Assert.Throws<CheckpointException>(() => second.LoadState(new Sgd(_store).State().ToDictionary(array => array.Name)));
        Assert.DoesNotContain(new Sgd(_store).State(), array => array.Name.Contains("gathered", StringComparison.Ordinal));
    }

    [Fact]
    public void Threads_do_not_change_a_bit()
    {
        Bits.Equal(Run(1), Run(3));

        static float[] Run(int threads)
        {
            using var device = Device.Cpu(threads);
            ParameterStore store = new(device);
            store.Declare("w", new Shape(1, 100_003), 100_003);
            store.Allocate();
            var sgd = new Sgd(store, 0.9f, 5e-4f) { Accumulate = 2, ClipNorm = 1 };
            for (int step = 0; step < 4; step++)
            {
                device.Upload(Array4.Normal(1, 100_003, 1, 1, seed: step).ToFloats(), store.Gradients);
                store.BumpGradientVersion();
                sgd.Step(0.1f);
            }
            var values = new float[store.Count];
            device.Download(store.Values, values);
            return values;
        }
    }

    private bool Step(Sgd sgd, float[] gradient, bool last = false)
    {
        _device.Upload(gradient, _store.Gradients);
        _store.BumpGradientVersion();
        return sgd.Step(1, last);
    }

    private float[] Values()
    {
        var values = new float[_store.Count];
        _device.Download(_store.Values, values);
        return values;
    }
}
