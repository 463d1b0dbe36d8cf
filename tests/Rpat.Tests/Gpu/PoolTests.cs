namespace Rpat.Tests.Gpu;

public class PoolTests
{
    /// <summary>Of a window that begins in the padding the first value wins, even if all are −∞.</summary>
    [Fact]
    public void A_gradient_of_nothing_but_minus_infinity_goes_to_the_first_value()
    {
        float[] Gradient(Device device)
        {
            var make = new TestTensors(device);
            var shape = new Shape(1, 4, 5, 5);
            TestTensor x = make.Place(shape, Layout.Blocked, [.. Enumerable.Repeat(float.NegativeInfinity, 100)]),
                dy = make.Blocked(new Shape(1, 4, 3, 3), 1, 1), dx = make.Blocked(shape);
            device.Kernels.MaxPoolGradient(new PoolShape(shape, 3, 2, 1), new Seen(x).Operand, dy, new Seen(x).Operand, false, dx);
            return make.Read(dx);
        }
        using var cpu = Device.Cpu(1);
        using var gpu = TestGpu.Open();
        float[] expected = Gradient(cpu);
        Assert.Equal(4 * 9, expected.Sum());
        Assert.Equal(expected, Gradient(gpu));
    }
}
