using Rpat.Engine;
using Rpat.Engine.Nn;
using Rpat.Engine.Optim;
using Rpat.Tests.Reference;
using Rpat.Tests.Support;

namespace Rpat.Tests.Ops;

public class SgdTests
{
    [Theory]
    [InlineData(0f, 0f, false)]
    [InlineData(0.9f, 0f, false)]
    [InlineData(0f, 0.01f, false)]
    [InlineData(0.9f, 5e-4f, false)]
    [InlineData(0.9f, 5e-4f, true)]
    [InlineData(0.5f, 0f, true)]
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
        long version = store.Version;
        new Sgd(store, 0.9f, 0.1f).Step(0.1f);
        Assert.Equal(gradients, store.Parameters[0].GradToArray());
        Assert.True(store.Version > version);
    }

    [Fact]
    public void Threads_and_pieces_do_not_change_a_bit()
    {
        float[] one = Run(1), two = Run(2), three = Run(3);
        Bits.Equal(one, two);
        Bits.Equal(one, three);

        static float[] Run(int threads)
        {
            using var device = Device.Cpu(threads);
            ParameterStore store = Store(device, 200_001);
            device.Upload(Array4.Normal(1, 200_001, 1, 1, seed: 9).ToFloats(), store.Gradients);
            Sgd sgd = new(store, 0.9f, 5e-4f);
            for (int step = 0; step < 3; step++) sgd.Step(0.1f);
            return Values(store);
        }
    }

    private static ParameterStore Store(Device device, params int[] lengths)
    {
        ParameterStore store = new(device);
        foreach (int length in lengths) store.Declare($"w{length}", new Shape(1, length), length);
        store.Seal();
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
