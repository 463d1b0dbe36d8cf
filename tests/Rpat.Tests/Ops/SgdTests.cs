using Rpat.Tests.Reference;
using Rpat.Tests.Support;

namespace Rpat.Tests.Ops;

public class SgdTests
{
    [Theory]
    [InlineData(0.9f, 5e-4f, false)]
    [InlineData(0.9f, 5e-4f, true)]
    public void Five_steps_follow_the_reference(float momentum, float decay, bool nesterov)
    {
        using var device = Device.Cpu(2);
        ParameterStore store = Store(device, 37, 100);
        double[] weights = Widen(Values(store)), velocity = new double[weights.Length];
        Sgd sgd = new(store, momentum, decay, nesterov);
        ReferenceSgd reference = new(momentum, decay, nesterov);
        for (int step = 0; step < 5; step++)
        {
            float rate = 0.1f / (step + 1);
            float[] gradients = Array4.Normal(1, weights.Length, 1, 1, seed: step).ToFloats();
            device.Upload(gradients, store.Gradients);
            store.BumpGradientVersion();
            sgd.Step(rate);
            reference.Step(weights, Widen(gradients), velocity, rate);
        }
        LossProbe.AssertNear(weights, Values(store), 1e-6);
        var moved = new float[velocity.Length];
        device.Download(sgd.Velocity, moved);
        LossProbe.AssertNear(velocity, moved, 1e-6);
    }

    [Fact]
    public void The_first_step_takes_the_gradient_as_it_is()
    {
        using var device = Device.Cpu(1);
        ParameterStore store = Store(device, 3);
        device.Upload([1f, 2f, 3f], store.Values);
        device.Upload([1f, -2f, 0.5f], store.Gradients);
        store.BumpGradientVersion();
        new Sgd(store, momentum: 0.9f).Step(0.5f);
        Assert.Equal([0.5f, 3f, 2.75f], Values(store));
    }

    [Fact]
    public void Gradients_stay_and_the_version_moves()
    {
        using var device = Device.Cpu(1);
        ParameterStore store = Store(device, 5);
        float[] gradients = [1, 2, 3, 4, 5];
        device.Upload(gradients, store.Gradients);
        store.BumpGradientVersion();
        long version = store.Version;
        new Sgd(store, 0.9f, 0.1f).Step(0.1f);
        Assert.Equal(gradients, store.Parameters[0].GradToArray());
        Assert.True(store.Version > version);
    }

    private static ParameterStore Store(Device device, params int[] lengths)
    {
        ParameterStore store = new(device);
        foreach (int length in lengths) store.Declare($"w{length}", new Shape(1, length), length);
        store.Allocate();
        device.Upload(Array4.Normal(1, lengths.Sum(), 1, 1, seed: 77).ToFloats(), store.Values);
        return store;
    }

    private static float[] Values(ParameterStore store)
    {
        var values = new float[store.Count];
        store.Device.Download(store.Values, values);
        return values;
    }

    private static double[] Widen(float[] values) => Array.ConvertAll(values, v => (double)v);
}
