namespace Rpat.Engine.Gpu.Queues;

/// <summary>
/// A kernel is a struct: its fields are the arguments, and <see cref="Run"/> is the work of each thread (which finds its position with
/// <c>Grid</c>, <c>Group</c> and <c>SharedMemory</c>). Methods that <see cref="Run"/> calls must be inlined, so that the fields and all
/// register tiles stay in registers.
/// </summary>
internal interface IKernel
{
    /// <summary>One thread's work.</summary>
    void Run();
}

/// <summary>The entry point that the compiler sees: one instance per kernel type.</summary>
internal static class Entry
{
    public static void Of<T>(T kernel) where T : struct, IKernel => kernel.Run();
}
