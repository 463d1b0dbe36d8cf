namespace Rpat.Formats.TensorBoard;

/// <summary>The records of TensorBoard's table of settings and results (plugin <c>hparams</c>).</summary>
public static class HParamRecords
{
    private const string Plugin = "hparams";
    private const int TextType = 1, FlagType = 2, NumberType = 3, Success = 1, Failure = 2;

    /// <summary>The settings and results that the table shows.</summary>
    /// <param name="time">Seconds since 1970.</param>
    /// <param name="settings">Name and value: a string, a bool or a number.</param>
    /// <param name="metrics">Tags of scalars that are results.</param>
    public static byte[] Experiment(double time, IReadOnlyList<(string Name, object Value)> settings, IReadOnlyList<string> metrics) =>
        Record(time, "_hparams_/experiment", 2, experiment =>
        {
            foreach (var (name, value) in settings)
                experiment.Message(4, info =>
                {
                    info.Text(1, name);
                    info.Integer(4, value is string ? TextType : value is bool ? FlagType : NumberType);
                });
            foreach (string tag in metrics) experiment.Message(5, info => info.Message(1, name => name.Text(2, tag)));
        });

    /// <summary>The settings of this run.</summary>
    /// <param name="time">Seconds since 1970.</param>
    /// <param name="settings">Name and value: a string, a bool or a number.</param>
    /// <param name="group">Runs of one group, such as several seeds of one setting, share a row of the table.</param>
    public static byte[] Start(double time, IReadOnlyList<(string Name, object Value)> settings, string group) =>
        Record(time, "_hparams_/session_start_info", 3, start =>
        {
            foreach (var (name, value) in settings)
                start.Message(1, entry =>
                {
                    entry.Text(1, name);
                    entry.Message(2, v => Write(v, value));
                });
            start.Text(4, group);
            start.Double(5, time);
        });

    /// <summary>How this run ended.</summary>
    /// <param name="time">Seconds since 1970.</param>
    /// <param name="success">Whether it completed.</param>
    public static byte[] End(double time, bool success) => Record(time, "_hparams_/session_end_info", 4, end =>
    {
        end.Integer(1, success ? Success : Failure);
        end.Double(2, time);
    });

    // google.protobuf.Value: number, string or bool.
    private static void Write(ProtobufWriter v, object value)
    {
        if (value is string text) v.Text(3, text);
        else if (value is bool flag) v.Integer(4, flag ? 1 : 0);
        else v.Double(2, Convert.ToDouble(value, CultureInfo.InvariantCulture));
    }

    private static byte[] Record(double time, string tag, int field, Action<ProtobufWriter> message)
    {
        var content = new ProtobufWriter();
        content.Message(field, message);
        byte[] bytes = content.ToArray();
        return EventRecords.Summary(time, 0, tag, v => v.Message(9, metadata => metadata.Message(1, plugin =>
        {
            plugin.Text(1, Plugin);
            plugin.Bytes(2, bytes);
        })));
    }
}
