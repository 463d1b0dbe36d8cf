namespace Rpat.Tests.Gpu;

/// <summary>Results reach arrays that the garbage collector moves at any time.</summary>
public class DownloadTests
{
    /// <summary>As on the CPU; ILGPU would end the process.</summary>
    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        foreach (var device in (Device[])[TestGpu.Open(), Device.Cpu(1)])
            using (device)
            {
                var buffer = device.Allocate(4);
                Assert.Throws<ArgumentOutOfRangeException>(() => device.Download(buffer, new float[5]));
                Assert.Throws<ArgumentOutOfRangeException>(() => device.Upload(new float[5], buffer));
                var tape = new Tape(device, Gradients.None);
                Tensor y = tape.Conv2d(Tensor.From(device, new Shape(1, 3, 4, 4), new float[48]), Filters(device), 1, 1);
                tape.Run();
                var longer = new float[2 * 4 * 16];
                y.CopyTo(longer);
            }
    }

    private static Parameter Filters(Device device)
    {
        var store = new ParameterStore(device);
        var w = store.Declare("w", new Shape(4, 3, 3, 3), 4, 3, 3, 3);
        store.Allocate();
        return w;
    }

    [Fact]
    public void ArraysThatMoveGetTheirValues()
    {
        const int count = 1 << 14, downloads = 400;
        using var device = TestGpu.Open();
        var source = device.Allocate(count);
        float[] expected = [.. Enumerable.Range(1, count)];
        device.Upload(expected, source);
        bool done = false;
        var collector = new Thread(() =>
        {
            while (!Volatile.Read(ref done)) GC.Collect(0, GCCollectionMode.Forced, blocking: true, compacting: true);
        })
        { IsBackground = true };
        collector.Start();
        int wrong = 0;
        for (int i = 0; i < downloads; i++)
        {
            _ = new byte[100 * (i % 7)]; // what lies in front of the array and goes
            var values = new float[count];
            device.Download(source, values);
            if (!values.AsSpan().SequenceEqual(expected)) wrong++;
        }
        Volatile.Write(ref done, true);
        collector.Join();
        Assert.Equal(0, wrong);
    }
}
