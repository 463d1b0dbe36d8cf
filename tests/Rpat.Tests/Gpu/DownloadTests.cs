namespace Rpat.Tests.Gpu;

/// <summary>Results reach arrays that the garbage collector moves at any time.</summary>
public class DownloadTests
{
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
        });
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
